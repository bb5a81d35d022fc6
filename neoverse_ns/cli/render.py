"""`ns-neoverse render`: a scene along a trajectory as a video or frames, as it is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.cli.directing import Directing
from neoverse_ns.console import say, warn
from neoverse_ns.render.depth import DepthKind


@dataclass
class Render(Directing):
    """Draw a scene along a trajectory into a video or a folder of frames, at any size, rate and course of time.

    For example, an orbit around what moves, 60 frames a second, while time stands still:

    ns-neoverse render RUN --trajectory orbit:degrees=60 --time freeze@1.5s --fps 60 --duration 4 --output orbit.mp4

    The clip as it was filmed, beside the input, with depth:

    ns-neoverse render RUN --trajectory static --time as-filmed --side-by-side --depth png --output clip.mp4

    Nothing is refined or made up here: see ns-neoverse generate.
    """

    output: Path = Path("render.mp4")
    """A video (.mp4, .mkv, .mov, .avi), or, without an ending, a folder of PNGs."""
    depth: DepthKind | None = None
    """Write depth, too: `png` (16 bits, in the folder NAME_depth, with about.json) or `npz` (NAME_depth.npz, float32),
    and NAME_depth_picture to look at."""
    alpha: bool = False
    """Write the opacity of what was seen, too (NAME_alpha): black where only the far field is."""
    side_by_side: bool = False
    """Put the input's frame of the same time to the left of every frame."""
    lossless: bool = False
    """Keep every value of the videos (H.264 of RGB, which few players but most editors read)."""
    crf: int = 16
    """Quality of videos that are not lossless: the lower, the better and larger."""
    check: bool = False
    """Check the path first, and tell what is wrong; see ns-neoverse trajectory validate."""

    def run(self) -> None:
        """Choose, draw, and write.

        Raises:
            SettingsError, RunError: It cannot be done as asked.
        """
        options = self.options()
        from neoverse_ns.ffmpeg import provide_ffmpeg
        from neoverse_ns.render.film import FilmFiles, FilmOptions, InputFrames, film
        from neoverse_ns.render.pictures import unseen_share
        from neoverse_ns.trajectory.save_cameras import write_cameras_beside

        provide_ffmpeg()
        film_options = FilmOptions(self.depth, self.alpha, self.side_by_side, self.lossless, self.crf)
        film_options.validate()
        # Before nerfstudio takes seconds to import.
        FilmFiles.of(self.output, film_options).check()
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        trajectory = self.size.apply(opened.choose(self.trajectory, options))
        if self.check:
            from neoverse_ns.cli.trajectory import look, tell

            tell(look(opened, trajectory))
        cameras = trajectory.cameras
        if self.output.suffix and (cameras.width % 2 or cameras.height % 2):
            warn(
                f"videos of odd sides ({cameras.width}x{cameras.height}) play in few programs: give --width or --height"
            )
        scene, clip = opened.scene, opened.clip
        inputs = InputFrames(clip.frames, clip.times) if self.side_by_side else None
        unseen: list[float] = []
        files = film(
            *(scene.gaussians, trajectory, self.output, film_options, opened.background, inputs, scene.options),
            watch=lambda view: unseen.append(unseen_share(view)),
        )
        written = [*files.all(), write_cameras_beside(self.output, trajectory)]
        say(f"wrote {', '.join(map(str, written))}: {len(trajectory)} frames")
        tell_unseen(unseen)


def tell_unseen(shares: list[float]) -> None:
    """Print how much of the worst frame was never seen, so that nobody misses a black edge.

    Args:
        shares: Of every frame.
    """
    import torch

    from neoverse_ns.trajectory.checks.check import UNSEEN
    from neoverse_ns.trajectory.checks.report import most_unseen

    line = most_unseen(torch.tensor(shares, dtype=torch.float64))
    if max(shares) > UNSEEN:
        warn(f"{line}: what stands there is a guess or the background (frames: ns-neoverse trajectory validate)")
    else:
        say(line)
