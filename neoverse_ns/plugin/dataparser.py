"""Dataparser: a bare clip in, posed and timed frames out."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
import tyro
from nerfstudio.data.dataparsers.base_dataparser import DataParser, DataParserConfig, DataparserOutputs
from nerfstudio.data.scene_box import SceneBox

from neoverse_ns.errors import ClipError, RunError
from neoverse_ns.plugin.benchmark.source import BenchmarkSource
from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.world import dataparser_transform, to_nerfstudio_cameras
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene

SCENE_KEY = "neoverse_scene"
"""Key in the dataparser's metadata under which the model finds the scene."""


TARGETS_KEY = "neoverse_targets"
"""The same for what a protocol judges by; only where there is a protocol."""


class SceneHandle:
    """Carries the scene through nerfstudio's metadata; copying it copies the reference, not the Gaussians."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    def __deepcopy__(self, memo: dict[int, Any]) -> SceneHandle:
        return self


@dataclass
class NeoVerseDataParserConfig(DataParserConfig):
    """A video file, a folder of images, or a single image."""

    _target: type = field(default_factory=lambda: NeoVerseDataParser)
    data: Path = Path()
    """Video file, folder of images, or image."""
    scene: Annotated[SceneConfig, tyro.conf.arg(name="", prefix_name=False)] = field(default_factory=SceneConfig)
    """Frames, cameras and Gaussians."""
    scene_dir: Path | None = None
    """The run's own copy of frames, cameras and depth; set when a run starts, so that it can be evaluated later
    without the clip or the cache."""
    device: Literal["cpu", "cuda"] | None = None
    """Decides the default number and size of frames; set to the run's own when it starts."""
    benchmark: Annotated[BenchmarkSource | None, tyro.conf.Suppress] = None
    """Inputs of a protocol in the stead of a clip; set by the data manager."""


@dataclass
class NeoVerseDataParser(DataParser):
    """Reconstructs the clip at its first use, or reads what the run folder or the cache already holds."""

    config: NeoVerseDataParserConfig
    includes_time: bool = True
    downscale_factor: float | None = None

    def __init__(self, config: NeoVerseDataParserConfig) -> None:
        super().__init__(config)
        self._scene: Scene | None = None
        self._targets: RunTargets | None = None

    @property
    def targets(self) -> RunTargets | None:
        """What a protocol judges by; None where there is none."""
        return self._targets if self.scene is not None else None

    @property
    def scene(self) -> Scene:
        """The clip's scene, loaded or built once per dataparser.

        Raises:
            ClipError, SettingsError, ReconstructionError, RunError: It can be neither loaded nor built.
        """
        if self._scene is None:
            self._scene = self._load()
        return self._scene

    def _load(self) -> Scene:
        # Decoding and flow bring heavy imports that no other ns-* command should pay for.
        from neoverse_ns.reconstruct.cache import cached_scene
        from neoverse_ns.reconstruct.store import is_saved_scene, load_scene, save_scene

        folder = self.config.scene_dir
        if self.config.benchmark is not None:
            return self._load_benchmark(self.config.benchmark)
        if folder is not None and is_saved_scene(folder):
            return load_scene(folder)
        if not str(self.config.data) or self.config.data == Path():
            raise ClipError("no clip given: add --data CLIP, a video file, a folder of images or an image")
        try:
            device = self.config.device or ("cuda" if torch.cuda.is_available() else "cpu")
            scene = cached_scene(self.config.data, self.config.scene, device)
        except ClipError as error:
            if folder is None or not any(folder.parent.glob("*/*.ckpt")):
                # A run that is only starting has no copy yet that could be missing.
                raise
            raise ClipError(f"{error} (the run's own copy of the frames, {folder}, is missing too)") from error
        if folder is not None:
            try:
                save_scene(scene, folder, with_gaussians=False)
            except OSError as error:
                reason = error.strerror or error
                raise RunError(
                    f"cannot write {folder} ({reason}): free space, or choose another --output-dir"
                ) from error
            scene = dataclasses.replace(scene, folder=folder)
        return scene

    def _load_benchmark(self, source: BenchmarkSource) -> Scene:
        from neoverse_ns.plugin.benchmark.build import load_or_build

        device = self.config.device or ("cuda" if torch.cuda.is_available() else "cpu")
        scene, self._targets = load_or_build(source, self.config.scene, device, self.config.scene_dir)
        return scene

    def _generate_dataparser_outputs(self, split: str = "train", **kwargs: Any) -> DataparserOutputs:
        scene, targets = self.scene, self.targets
        if targets is not None and split in ("val", "test"):
            return self._target_outputs(scene, targets)
        held_out = split in ("val", "test") and bool(scene.split.held_out)
        frames = scene.split.held_out if held_out else scene.split.train
        return DataparserOutputs(
            image_filenames=[scene.frame_file(i) for i in frames],
            cameras=to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, frames),
            scene_box=_scene_box(scene),
            metadata=self._metadata(scene),
            dataparser_transform=dataparser_transform(),
        )

    def _metadata(self, scene: Scene) -> dict[str, Any]:
        found: dict[str, Any] = {SCENE_KEY: SceneHandle(scene)}
        return found if self._targets is None else found | {TARGETS_KEY: self._targets}

    def _target_outputs(self, scene: Scene, targets: RunTargets) -> DataparserOutputs:
        from neoverse_ns.plugin.benchmark.placed import target_cameras

        return DataparserOutputs(
            image_filenames=[targets.picture_file(i) for i in range(len(targets.targets))],
            cameras=target_cameras(targets, scene),
            scene_box=_scene_box(scene),
            metadata=self._metadata(scene),
            dataparser_transform=dataparser_transform(),
        )


def _scene_box(scene: Scene) -> SceneBox:
    radius = float(2 * scene.geometry.depth.median())
    return SceneBox(aabb=torch.tensor([[-radius] * 3, [radius] * 3]))
