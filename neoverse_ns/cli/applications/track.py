"""`ns-neoverse track`: points of a clip in 3D, through all its frames."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from neoverse_ns.applications.track.config import TrackConfig
from neoverse_ns.cli.applications.video import SceneFlags
from neoverse_ns.console import say
from neoverse_ns.errors import RunError, SettingsError

if TYPE_CHECKING:
    from neoverse_ns.applications.track.queries import Queries
    from neoverse_ns.applications.track.tracks import Tracks
    from neoverse_ns.clip.clip import Clip
    from neoverse_ns.plugin.open_scene import OpenScene

MASK_COLUMNS = 48
"""Points in a row of a grid where a mask is given, but no grid."""


@dataclass
class Track(SceneFlags):
    """Follow points of a clip in 3D: where they are in every frame, and where something hides them.

    For example, two points of frame 12, and one of the frame at 1.5 seconds:

    ns-neoverse track RUN --points 120,80@12 200,95@12 64,40@1.5s --output tracks.mp4

    A grid over the first frame; all that a mask marks in frame 10; points from a table with columns x, y, frame:

    ns-neoverse track RUN --grid 30

    ns-neoverse track RUN --mask dog.png --frame 10

    ns-neoverse track RUN --file points.csv

    Writes the clip with the points drawn over it, tracks.npz (places in the picture and in the world, visibility;
    its entry `about` explains them) and tracks_tapvid3d.npz (as that benchmark's files are).
    """

    points: tuple[str, ...] = ()
    """Points as x,y@frame; a frame is its position among the scene's, or a second, as in 1.5s; without one, the first.
    Pixel centres lie at .5."""
    file: Path | None = None
    """Points from a file: .csv with columns x, y, frame, or .npz with `queries_xyt`."""
    grid: int | None = None
    """So many points in a row, at most one a pixel, all over the frame given by --frame."""
    mask: Path | None = None
    """Points within: an image, white where points are wanted, or a video of such. On the grid of --grid, or a fine
    one."""
    frame: str = "0"
    """Frame of --grid and --mask: its position, or a second, as in 1.5s."""
    pixels: Literal["scene", "source"] = "scene"
    """What x and y of --points and --file are pixels of: the scene's pictures, or the source's own."""
    how: Annotated[TrackConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=TrackConfig)
    """How points are followed."""
    tail: float = 1.0
    """Seconds that a point's way is drawn for."""
    output: Path = Path("tracks.mp4")
    """The video to write; the arrays lie beside it."""

    def run(self) -> None:
        """Follow, draw, and write.

        Raises:
            SettingsError, RunError: It cannot be done as asked.
        """
        self._check()
        from neoverse_ns.generate.video import check_output

        check_output(self.output)
        # Nerfstudio takes seconds to import, which checking flags should not cost.
        from neoverse_ns.applications.track.track import track
        from neoverse_ns.plugin.open_scene import open_scene

        opened = open_scene(self.run_path)
        tracks = track(opened.scene, self.queries(opened.clip), self.how)
        files = self._write(tracks, opened)
        seen = 100 * float(tracks.visible.double().mean())
        say(
            f"wrote {', '.join(str(path) for path in files)}: {len(tracks.queries)} points, "
            f"{int(tracks.moving.sum())} of them on what moves, in {len(tracks.visible)} frames, {seen:.0f} % visible"
        )

    def _check(self) -> None:
        self.how.validate()
        if not (self.points or self.file or self.grid is not None or self.mask):
            raise SettingsError("say which points: --points x,y@frame, --grid, --mask or --file")
        if self.grid is not None and self.grid < 1:
            raise SettingsError(f"--grid must be at least 1, got {self.grid}")
        if not 0 <= self.tail < float("inf"):
            raise SettingsError(f"--tail must be 0 or a number of seconds, got {self.tail}")
        for path, flag in ((self.file, "--file"), (self.mask, "--mask")):
            if path is not None and not path.is_file():
                raise SettingsError(f"{flag} {path}: no such file")

    def queries(self, clip: Clip) -> Queries:
        """The points asked for, of all kinds together.

        Raises:
            SettingsError: One of them cannot be read.
        """
        import torch

        from neoverse_ns.applications.track.queries import Queries, grid
        from neoverse_ns.applications.track.query_mask import read_mask
        from neoverse_ns.applications.track.query_text import (
            frame_named,
            in_scene_pixels,
            read_point_file,
            read_points,
        )

        parts = []
        given = [read_points(self.points, clip)] if self.points else []
        given += [] if self.file is None else [read_point_file(self.file, clip)]
        parts += [in_scene_pixels(part, clip) for part in given] if self.pixels == "source" else given
        if self.grid is not None or self.mask is not None:
            frame = frame_named(self.frame, clip)
            mask = None if self.mask is None else read_mask(self.mask, frame, clip)
            columns = min(MASK_COLUMNS, clip.width) if self.grid is None else self.grid
            parts.append(grid(columns, frame, clip.width, clip.height, mask))
        return Queries(torch.cat([part.xy for part in parts]), torch.cat([part.frame for part in parts]))

    def _write(self, tracks: Tracks, opened: OpenScene) -> list[Path]:
        from neoverse_ns.applications.track.files import arrays, tapvid_arrays, write_arrays
        from neoverse_ns.applications.track.pictures import draw_tracks
        from neoverse_ns.generate.video import write_video_whole

        clip, fps = opened.clip, opened.scene.frame_rate or 1.0
        pictures = draw_tracks(clip.frames, tracks, round(self.tail * fps))
        height, width = (side - side % 2 for side in pictures.shape[1:3])
        write_video_whole(self.output, pictures[:, :height, :width].contiguous(), fps)
        plain, tapvid = self.output.with_suffix(".npz"), self.output.with_name(f"{self.output.stem}_tapvid3d.npz")
        try:
            write_arrays(plain, arrays(tracks))
            write_arrays(tapvid, tapvid_arrays(tracks, clip.frames))
        except OSError as error:
            raise RunError(f"cannot write beside {self.output} ({error}): choose another --output") from error
        return [self.output, plain, tapvid]
