"""`ns-neoverse edit`: something in the scene removed, moved, turned, scaled, doubled, recoloured or painted anew."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from neoverse_ns.cli.applications.edit_flags import EditFlags
from neoverse_ns.cli.applications.video import FinishFlags, SceneFlags
from neoverse_ns.cli.directing import PathFlags
from neoverse_ns.console import CONSOLE, say, warn
from neoverse_ns.errors import RunError, SettingsError

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8
    from torch import Tensor

    from neoverse_ns.applications.edit.config import CompositeConfig, Operation
    from neoverse_ns.applications.edit.selection.region import Region
    from neoverse_ns.export.scene import ExportScene
    from neoverse_ns.generate.base import Refiner
    from neoverse_ns.plugin.open_scene import OpenScene


@dataclass
class Edit(PathFlags, FinishFlags, SceneFlags, EditFlags):
    """Edit a thing in the scene: remove, move, turn, scale, double or recolour it, or paint it anew after words.

    What moves is known already; list it, then take one away:

    ns-neoverse edit RUN --list-things

    ns-neoverse edit RUN --thing 1 --remove --output without.mp4

    A box around the crate of frame 12, a copy of it to the right, seen from a new path, and the scene kept:

    ns-neoverse edit RUN --box 120,60,160,95@12 --duplicate --move 0.1 0 0 --trajectory orbit_right \\
        --save-scene two_crates --output two.mp4

    Frames and pixels are those of the sampled clip, from 0. Outside the edits the clip's own frames are kept where the
    camera is the clip's. Shadows and reflections of a thing stay: select them with it (--mask, --expand).
    """

    output: Path = Path("edited.mp4")
    """The video to write."""
    list_things: bool = False
    """Print the moving things that the reconstruction told apart, and end."""
    trajectory: str | None = None
    """Show the edited scene along this trajectory instead of in the clip itself; see ns-neoverse render --help."""
    margin: float = 3.0
    """Pixels around what was there that are drawn anew, too."""
    feather: float = 2.0
    """Pixels over which drawing and frame blend."""
    from_frames: bool = True
    """Look what lies behind up in other frames first; otherwise all of it is drawn from the Gaussians."""
    save_scene: Path | None = None
    """Keep the edited scene in this folder, which render, export and the other commands open."""
    save_mask: bool = False
    """Write where the frames were edited, too: NAME_mask."""

    def run(self) -> None:
        """Edit and write.

        Raises:
            SettingsError, RunError, RefinementError, WeightsError, PackageError: It cannot be done as asked.
        """
        options = self.options()
        if not self.list_things:
            self._check()
        from neoverse_ns.plugin.open_scene import open_scene

        if self.list_things:
            return list_things(open_scene(self.run_path).scene)
        wanted = self.wanted(self.refine.prompt)
        config = self._composite()
        from neoverse_ns.applications.edit.edit import EditConfig, edit
        from neoverse_ns.applications.edit.selection.region import select_region
        from neoverse_ns.applications.finish import checked_refiner

        refine = self.kept(self.run_path) if self.refine.refiner == "wan" else self.refine
        refiner = checked_refiner(refine)
        opened = open_scene(self.run_path)
        scene = opened.scene
        path = None if self.trajectory is None else self.size.apply(opened.choose(self.trajectory, options))
        if self.repaints(wanted, self.refine.prompt):
            return self._repaint(opened, wanted[0][0], refiner)
        edits = [(select_region(scene, region), self._in_world(operation, scene)) for region, operation in wanted]
        for (region, _), (selection, _) in zip(wanted, edits, strict=True):
            say(f"selected {selection.count:,} Gaussians")
            tell_partly_known(scene, region)
        result = edit(scene, edits, EditConfig(config, refine), refiner, path)
        frames, fps = (
            (result.frames, scene.frame_rate or 1.0)
            if result.along is None
            else (result.along.frames, result.along.fps)
        )
        written = self._write(frames, fps, result.composed.weight)
        if self.save_scene is not None:
            written.append(save(result.scene, self.save_scene))
        say(f"wrote {', '.join(written)}: {len(frames)} frames")

    def _check(self) -> None:
        """What can be refused before anything is opened."""
        from neoverse_ns.generate.video import check_output

        check_output(self.output)
        if self.save_scene is not None and self.save_scene.exists():
            raise RunError(f"--save-scene {self.save_scene} is there already: give a folder that is not")
        wanted = self.wanted(self.refine.prompt)
        self._composite()
        if self.repaints(wanted, self.refine.prompt) and self.trajectory is not None:
            raise SettingsError(
                "a prompt repaints the clip's own frames: leave --trajectory out, or give an edit with it"
            )

    def _composite(self) -> CompositeConfig:
        from neoverse_ns.applications.edit.config import CompositeConfig

        config = CompositeConfig(self.margin, self.feather, self.from_frames)
        config.validate()
        return config

    def _in_world(self, operation: Operation, scene: ExportScene) -> Operation:
        """Lengths in the scene's own unit."""
        unit = 1.0 if self.unit == "scene" else scene.network_unit or 1.0
        if operation.move is None or unit == 1.0:
            return operation
        right, down, ahead = (value / unit for value in operation.move)
        return dataclasses.replace(operation, move=(right, down, ahead))

    def _repaint(self, opened: OpenScene, region: Region, refiner: Refiner) -> None:
        from neoverse_ns.applications.edit.prompt import repaint
        from neoverse_ns.applications.edit.selection.region import select_region

        if self.save_scene is not None:
            raise SettingsError("what a prompt paints is no part of the scene: leave --save-scene out")
        scene = opened.scene
        made = repaint(scene, select_region(scene, region), self.refine, self._composite(), refiner)
        written = self._write(made.frames, scene.frame_rate or 1.0, made.weight)
        say(f"wrote {', '.join(written)}: {len(made.frames)} frames")

    def _write(self, frames: UInt8[Tensor, "n h w 3"], fps: float, weight: Float[Tensor, "f h w"]) -> list[str]:
        from neoverse_ns.applications.edit.edit import as_bytes
        from neoverse_ns.generate.video import write_video_whole

        videos = {self.output: frames}
        if self.save_mask:
            shades = as_bytes(weight[..., None].expand(-1, -1, -1, 3))
            videos[self.output.with_stem(f"{self.output.stem}_mask")] = shades
        for path, video in videos.items():
            write_video_whole(path, video, fps)
        return [str(path) for path in videos]


def save(scene: ExportScene, folder: Path) -> str:
    """Keep an edited scene.

    Raises:
        RunError: It cannot be written.
    """
    from neoverse_ns.applications.edit.edited_scene import saved
    from neoverse_ns.reconstruct.store import save_scene

    try:
        save_scene(saved(scene), folder)
    except OSError as error:
        raise RunError(f"cannot write {folder} ({error.strerror or error}): choose another --save-scene") from error
    return str(folder)


def tell_partly_known(scene: ExportScene, region: Region) -> None:
    """Warn where a thing is known at one end of the clip only: the object may have another number elsewhere."""
    from neoverse_ns.applications.edit.selection.things import thing_span

    if region.thing is None:
        return
    (first, last), (start, end) = thing_span(scene, region.thing)
    if (first, last) != (start, end):
        warn(
            f"thing {region.thing} is known in frames {first} to {last} of {start} to {end} only: what shows of it "
            f"elsewhere stays; where it has another number there (--list-things), edit both with --edits"
        )


def list_things(scene: ExportScene) -> None:
    """Print what moves."""
    from neoverse_ns.applications.edit.selection.things import list_things as things_of

    things = things_of(scene)
    if not things:
        say("nothing was found to move in this clip: select by --box, --click or --mask")
    for thing in things:
        left, top, right, bottom = thing.box
        CONSOLE.print(
            f"thing {thing.number}: {thing.pixels:.0f} pixels in {len(thing.frames)} frames from {thing.frames[0]} to "
            f"{thing.frames[-1]}, most in frame {thing.frame} at {left},{top} to {right},{bottom}",
            highlight=False,
        )
    if len(things) > 1:
        say("one object may have several numbers, each in some of the frames: edit all of them together with --edits")
