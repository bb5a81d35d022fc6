"""The reconstructor that asks Depth Anything 3 for cameras and depth, and flow for motion."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse
from neoverse_ns.reconstruct.base import Reconstruction, Reconstructor, SceneGeometry
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.held_out import merge_cameras
from neoverse_ns.reconstruct.depth_anything.motion import find_motion, search_motion, training_flow
from neoverse_ns.reconstruct.depth_anything.predict import ViewPredictions, predict_views
from neoverse_ns.reconstruct.depth_anything.report import describe_cameras
from neoverse_ns.reconstruct.depth_anything.surfaces import full_size_depth
from neoverse_ns.reconstruct.depth_anything.things import surfaces_with_things, with_links
from neoverse_ns.reconstruct.depth_anything.weights import ViewNetwork, choose_device, load_network
from neoverse_ns.reconstruct.split import FrameSplit

UNFIT = 0.02
"""Median residual of flow, as a share of the image's width, from which the network's geometry is doubtful."""


class DepthAnythingReconstructor(Reconstructor):
    """Cameras and depth from Depth Anything 3, motion from optical flow, Gaussians lifted as the bundle does.

    Args:
        config: Which network, where and how it runs, how motion is found.
        lift_config: From depth and flow to Gaussians.
        network: A loaded network; None loads the one that `config` names when it is needed, and lets go of it after.
    """

    uses_tracking = True

    def __init__(
        self, config: DepthAnythingConfig, lift_config: LiftConfig, network: ViewNetwork | None = None
    ) -> None:
        self.config, self.lift_config, self.network = config, lift_config, network

    def reconstruct(self, clip: Clip, split: FrameSplit) -> Reconstruction:
        self.config.validate()
        if split.count != len(clip):
            raise SettingsError(f"the split is made for {split.count} frames, but the clip has {len(clip)}")
        seconds: dict[str, float] = {}
        scene, cameras, windows = self._look(clip, split, seconds)
        with _timed(seconds, "depth"):
            depth, confidence = full_size_depth(scene.depth, scene.confidence, clip.frames[split.train])
            unit = float(depth.median())
        cameras = _in_first_camera(cameras, unit)
        depth = depth / unit
        facts = describe_cameras(cameras, depth)
        with _timed(seconds, "flow"):
            flow = training_flow(clip, split, self.config)
        with _timed(seconds, "motion"):
            search = search_motion(clip, split, flow, cameras, facts["kind"] == "parallax", self.config)
            motion = find_motion(search, depth)
        if motion.residual_px > UNFIT * clip.width:
            warn(
                f"how the pixels move does not fit the cameras and depth of {self.config.model} (median residual "
                f"{motion.residual_px:.1f} px): try another --da3.model, --da3.ray-pose or --reconstructor bundle"
            )
        with _timed(seconds, "things"):
            surfaces = surfaces_with_things(search, split, motion.dynamic, depth, confidence)
        report = {
            **facts,
            "reconstructor": "da3",
            "model": self.config.model,
            "revision": self.config.revision,
            "dtype": self.config.dtype,
            "windows": windows,
            "network_size": [scene.depth.shape[2], scene.depth.shape[1]],
            "residual_px": motion.residual_px,
            "flow_used": motion.flow_used,
            "flow_pairs": len(flow.flow),
            "dynamic_share": float(surfaces.dynamic.float().mean()),
            "unlinked_frames": [],
            "seconds": seconds,
        }
        # The unit is the keyframes' median depth, and more frames may have become keyframes.
        unit = float(surfaces.depth.median())
        geometry = SceneGeometry(
            cameras=_in_first_camera(cameras, unit),
            keyframes=surfaces.frames,
            depth=surfaces.depth / unit,
            confidence=surfaces.confidence,
            dynamic=surfaces.dynamic,
            report=report,
            things=surfaces.things,
        )
        flow = with_links(flow, split.train, surfaces.frames)
        flows = {
            pair: KeyframeFlow(torch.from_numpy(flow.flow[pair]), torch.from_numpy(flow.confidence[pair]))
            for pair in flow.pairs
        }
        with _timed(seconds, "lift"):
            gaussians = scene_layers(clip, geometry, flows, self.lift_config, split.keyframes)
        report["num_gaussians"] = gaussians.count
        return Reconstruction(geometry=geometry, gaussians=gaussians)

    def _look(
        self, clip: Clip, split: FrameSplit, seconds: dict[str, float]
    ) -> tuple[ViewPredictions, PinholeCameras, int]:
        """Predictions for the training frames, cameras of all frames in their world, and the number of windows."""
        network = self.network
        with _timed(seconds, "load"):
            if network is None:
                network = load_network(self.config)
        with _timed(seconds, "network"):
            scene, windows = predict_views(network, clip.frames[split.train], self.config)
            c2w, K = scene.c2w, scene.K
            if split.held_out:
                everything, _ = predict_views(network, clip.frames, self.config)
                c2w, K = merge_cameras(scene, everything, split)
        if self.network is None:
            del network
            if choose_device(self.config.device).type == "cuda":
                torch.cuda.empty_cache()
        return scene, PinholeCameras(c2w, K, clip.width, clip.height), windows


def _in_first_camera(cameras: PinholeCameras, unit: float) -> PinholeCameras:
    """The same cameras, the first one at the origin, the world scaled so that `unit` becomes 1."""
    c2w = cameras.c2w.double()
    c2w = se3_inverse(c2w[:1]) @ c2w
    c2w[:, :3, 3] /= unit
    c2w = c2w.float()
    c2w[0] = torch.eye(4)
    return PinholeCameras(c2w, cameras.K, cameras.width, cameras.height)


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[stage] = time.perf_counter() - start
