"""The weights-free reconstructor: optical flow, two-view geometry, bundle adjustment, lifting."""

from __future__ import annotations

import time

from neoverse_ns.clip.clip import Clip
from neoverse_ns.reconstruct.base import Reconstruction, Reconstructor
from neoverse_ns.reconstruct.bundle.cameras.focal_prior import with_hint
from neoverse_ns.reconstruct.bundle.cameras.given import given_cameras
from neoverse_ns.reconstruct.bundle.cameras.known_focal import with_known_focal
from neoverse_ns.reconstruct.bundle.config import BundleConfig
from neoverse_ns.reconstruct.bundle.lifting.keyframe_lift import LiftConfig
from neoverse_ns.reconstruct.bundle.lifting.scene_flow import KeyframeFlow
from neoverse_ns.reconstruct.bundle.lifting.scene_layers import scene_layers
from neoverse_ns.reconstruct.bundle.solve import solve_geometry
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.load import load_priors
from neoverse_ns.reconstruct.split import FrameSplit


class BundleReconstructor(Reconstructor):
    """Runs anywhere: no weights, no network, no GPU. Poses that are known beforehand stay exactly as they are."""

    uses_tracking = True

    def __init__(self, config: BundleConfig, lift_config: LiftConfig, priors: PriorsConfig | None = None) -> None:
        self.config, self.lift_config, self.priors = config, lift_config, priors or PriorsConfig()

    def reconstruct(self, clip: Clip, split: FrameSplit) -> Reconstruction:
        priors = load_priors(self.priors, clip)
        config = with_hint(with_known_focal(self.config, priors, clip), clip)
        solution = solve_geometry(clip, split, config, given_cameras(priors, clip))
        started = time.perf_counter()
        flows = {pair: KeyframeFlow(flow, solution.flow_confidence[pair]) for pair, flow in solution.flow.items()}
        gaussians = scene_layers(solution.clip, solution.geometry, flows, self.lift_config, split.keyframes)
        report = solution.geometry.report
        report["reconstructor"] = "bundle"
        report.setdefault("seconds", {})["lift"] = time.perf_counter() - started
        report["num_gaussians"] = gaussians.count
        return Reconstruction(solution.geometry, gaussians, None if solution.clip is clip else solution.clip)
