"""`ns-neoverse multiview`: several synchronised views of one clip or image."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from neoverse_ns.applications.extend.config import GrowConfig
from neoverse_ns.cli.applications.video import FinishFlags
from neoverse_ns.console import say
from neoverse_ns.generate.config import RefinerConfig

if TYPE_CHECKING:
    from neoverse_ns.export.scene import ExportScene
    from neoverse_ns.generate.base import Refiner


def _internal() -> RefinerConfig:
    return RefinerConfig(refiner="internal")


@dataclass(kw_only=True)
class Multiview(FinishFlags):
    """Show what synchronised cameras around the clip's own would have seen, and merge it all into one scene.

    For example two cameras on either side of the clip's, each turned by another 25 degrees, the outer made from what
    the inner showed:

    ns-neoverse multiview clip.mp4 --views left,right --angle 25 --rings 2 --output surround

    Two eyes more, a tenth of the way to the scene aside, of a finished run:

    ns-neoverse multiview outputs/clip/neoverse/TIME --move shift --distance 0.1 --output pair

    Writes front.mp4 (the clip) and a video per camera, of the very same moments, NAME_invented.mp4, white where it
    shows what nobody saw (NAME_unseen.mp4 with --refiner none, which makes nothing up), cameras.json with every
    camera, and the merged scene, for example for:

    ns-neoverse render surround/scene --trajectory pan_left --angle 40 --output pan.mp4
    """

    source: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="CLIP_OR_RUN")]]
    """A video, folder of images or image; or a run's folder or config.yml, or a folder with a saved scene."""
    output: Path
    """Folder to write to, new or empty; or the one whose scene is the source, if extend made it."""
    views: str = "left,right"
    """Sides on which cameras stand, separated by commas: left, right, up, down."""
    move: Literal["pan", "orbit", "shift"] = "pan"
    """How they differ from the clip's camera: `pan` turns it on the spot, so that views join at their sides; `orbit`
    goes around what is in the middle (left, right); `shift` steps aside without turning."""
    angle: float = 25.0
    """Degrees from one ring to the next, of `pan` and `orbit`."""
    distance: float = 0.1
    """The same of `shift`, in units of the scene's median depth."""
    rings: int = 1
    """Cameras on every side, the farther made from what the nearer showed."""
    grow: Annotated[GrowConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=GrowConfig)
    """How finished views become part of the scene."""
    optimise: int = 500
    """Steps for which the scene of a clip is optimised first; 0 takes it as reconstructed. Runs are taken as they
    stand."""
    refine: Annotated[RefinerConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=_internal)
    """Who finishes the views, and how. What it learns of a run is kept in the run's folder `generated` unless --folder
    names another."""

    def run(self) -> None:
        """Open or reconstruct, grow, and write.

        Raises:
            SettingsError, ClipError, ReconstructionError: It cannot be done as asked.
            RunError, RefinementError, WeightsError: Something is missing, or cannot be written.
        """
        from neoverse_ns.applications.extend.files import check_output_folder, save_grown, write_frames, write_views
        from neoverse_ns.applications.finish import checked_refiner
        from neoverse_ns.applications.multiview.multiview import FRONT, multiview, rig_json
        from neoverse_ns.applications.multiview.rig import RigConfig
        from neoverse_ns.errors import RunError
        from neoverse_ns.optimise.config import OptimiseConfig

        views = tuple(view.strip() for view in self.views.split(",") if view.strip())
        cameras = RigConfig(views, self.move, self.angle, self.distance, self.rings)
        cameras.validate()
        self.grow.validate()
        OptimiseConfig(steps=self.optimise).validate()
        check_output_folder(self.output, self.source)
        document_file = self.output / "cameras.json"
        if document_file.exists():
            raise RunError(f"{document_file} and its views would be replaced: choose another --output")
        config = self.kept(self.source) if self._is_run() else self.refine
        refiner: Refiner = checked_refiner(config)
        scene = self._scene()
        assert scene.source is not None
        grown = multiview(scene, cameras, config, self.grow, refiner)
        files = write_views(grown, self.output)
        fps = next(iter(grown.views.values())).fps
        files[FRONT] = write_frames(self.output / FRONT, scene.source.clip.frames, fps)
        paths = {name: view.trajectory for name, view in grown.views.items()}
        document = rig_json(scene, paths, {name: path.name for name, path in files.items()})
        document_file.write_text(json.dumps(document, indent=1, allow_nan=False), "utf8")
        saved = save_grown(grown.scene, self.output)
        added = sum(view.added for view in grown.views.values())
        say(
            f"wrote {', '.join(str(path) for path in files.values())}, {document_file} and {saved}: "
            f"{len(scene.times)} moments each, {added:,} new Gaussians"
        )

    def _scene(self) -> ExportScene:
        """The run or saved scene, or that of the clip.

        Raises:
            RunError, ClipError, SettingsError, ReconstructionError: There is none, or it cannot be made.
        """
        path = self.source
        if self._is_run():
            from neoverse_ns.plugin.open_scene import open_scene

            return open_scene(path).scene
        from neoverse_ns.api.runs import shown
        from neoverse_ns.api.scenes import optimise, reconstruct

        scene = reconstruct(path)
        return shown(optimise(scene, steps=self.optimise) if self.optimise else scene)

    def _is_run(self) -> bool:
        """Whether a scene is there already; else the source is a clip."""
        from neoverse_ns.reconstruct.store import is_saved_scene

        path = self.source
        if path.is_dir():
            return (path / "config.yml").is_file() or is_saved_scene(path)
        return path.suffix in (".yml", ".yaml")
