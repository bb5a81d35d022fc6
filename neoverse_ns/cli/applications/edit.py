"""`ns-neoverse edit`: something in the scene removed, moved, turned, scaled, doubled, recoloured or painted anew."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

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

_ONE_EDIT = (
    *("thing", "mask", "box", "whole_box", "click", "segment", "expand"),
    *("remove", "duplicate", "move", "rotate", "scale", "recolour", "scope"),
)
"""Flags that say what one edit is about and what it does."""


@dataclass
class Edit(PathFlags, FinishFlags, SceneFlags):
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
    thing: int | None = None
    """Edit a moving thing, by its number. One object may have several numbers in the list: --edits takes several."""
    mask: str | None = None
    """Edit what is white in a video, a folder with a mask for every frame, or an image (of the frame named behind it:
    mask.png@12; followed from there)."""
    box: str | None = None
    """Edit the thing in a box: x0,y0,x1,y1@frame."""
    whole_box: bool = False
    """Take all that the box holds."""
    click: str | None = None
    """Edit the thing or surface that a pixel shows: x,y@frame."""
    segment: str | None = None
    """Edit what words name, as in 'white car', found by a segmentation model on this machine (extra `depth`)."""
    segment_model: str = "CIDAS/clipseg-rd64-refined"
    """Folder of the segmentation model, or its id in the hub's local cache."""
    segment_threshold: float = 0.4
    """Probability from which on a pixel belongs to what was named; the lower, the more is taken."""
    expand: float = 0.0
    """Pixels by which the region is widened, as for a shadow beside the thing."""
    edits: Path | None = None
    """Several edits from a JSON file, in the place of all flags that say what is edited and how
    (docs/applications/edit.md)."""
    remove: bool = False
    """Take the thing away; what lies behind comes from other frames and the scene, the rest from the refiner."""
    duplicate: bool = False
    """Leave the thing, and do all else to a copy."""
    move: tuple[float, float, float] | None = None
    """Move it to the right, down and ahead, seen from the first camera, in the unit that --unit says."""
    rotate: tuple[float, float, float] | None = None
    """Turn it about the same axes, degrees: 0 90 0 is a quarter turn about the vertical."""
    scale: float = 1.0
    """Times its size."""
    recolour: str | None = None
    """Its colour, as in red or #c01020; light and texture stay."""
    scope: Literal["auto", "global", "frame"] = "auto"
    """What it turns and grows about: `frame`, its own middle at every moment; `global`, the middle of its whole way;
    `auto` takes the former for what moves."""
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
        wanted = self._wanted()
        config = self._composite()
        from neoverse_ns.applications.edit.edit import EditConfig, edit
        from neoverse_ns.applications.edit.selection.region import select_region
        from neoverse_ns.applications.finish import checked_refiner

        refine = self.kept(self.run_path) if self.refine.refiner == "wan" else self.refine
        refiner = checked_refiner(refine)
        opened = open_scene(self.run_path)
        scene = opened.scene
        path = None if self.trajectory is None else self.size.apply(opened.choose(self.trajectory, options))
        if self._repaints(wanted):
            return self._repaint(opened, wanted[0][0], refiner)
        edits = [(select_region(scene, region), self._in_world(operation, scene)) for region, operation in wanted]
        for (region, _), (selection, _) in zip(wanted, edits, strict=True):
            say(f"selected {selection.count:,} Gaussians")
            tell_partly_known(scene, region)
        result = edit(scene, edits, EditConfig(config, refine), refiner, path)
        frames, fps = (
            (result.frames, rate_of(scene)) if result.along is None else (result.along.frames, result.along.fps)
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
        wanted = self._wanted()
        self._composite()
        if self._repaints(wanted) and self.trajectory is not None:
            raise SettingsError(
                "a prompt repaints the clip's own frames: leave --trajectory out, or give an edit with it"
            )

    def _wanted(self) -> list[tuple[Region, Operation]]:
        """What is to be done to what, checked."""
        from neoverse_ns.applications.edit.config import Operation
        from neoverse_ns.applications.edit.edits_file import parse_colour, read_edits
        from neoverse_ns.applications.edit.selection.region import Region, parse_box, parse_click, parse_mask
        from neoverse_ns.applications.edit.selection.segment import SegmentConfig

        model = SegmentConfig(self.segment_model, self.segment_threshold)
        if self.edits is not None:
            self._check_alone()
            return read_edits(self.edits, model)
        region = Region(self.thing, segment=self.segment, model=model, whole_box=self.whole_box, expand=self.expand)
        if self.mask is not None:
            path, frame = parse_mask(self.mask)
            region = dataclasses.replace(region, mask=path, mask_frame=frame)
        if self.box is not None:
            box, frame = parse_box(self.box)
            region = dataclasses.replace(region, box=box, frame=frame)
        if self.click is not None:
            click, frame = parse_click(self.click)
            region = dataclasses.replace(region, click=click, frame=frame)
        region.validate()
        colour = None if self.recolour is None else parse_colour(self.recolour)
        operation = Operation(self.remove, self.duplicate, self.move, self.rotate, self.scale, colour, self.scope)
        wanted = [(region, operation)]
        if not self._repaints(wanted):
            operation.validate()
        return wanted

    def _check_alone(self) -> None:
        """Whether flags name an edit beside those of the file, which would be ignored."""
        given = [name for name in _ONE_EDIT if getattr(self, name) != getattr(Edit, name)]
        if given:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
            raise SettingsError(f"--edits says what is edited and how: put {flags} into its file, or leave --edits out")

    def _repaints(self, wanted: list[tuple[Region, Operation]]) -> bool:
        """Whether nothing but a prompt was given."""
        from neoverse_ns.applications.edit.config import Operation
        from neoverse_ns.generate.base import DEFAULT_PROMPT

        plain = self.edits is None and wanted[0][1] == Operation(scope=wanted[0][1].scope)
        return plain and self.refine.prompt != DEFAULT_PROMPT

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
        written = self._write(made.frames, rate_of(scene), made.weight)
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


def rate_of(scene: ExportScene) -> float:
    """Sampled frames per second."""
    span = float(scene.seconds[-1] - scene.seconds[0])
    return (len(scene.seconds) - 1) / span if span > 0 else 1.0


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
