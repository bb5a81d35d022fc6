"""The whole network: trunk and heads, under the names of the published checkpoint."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.camera_head import CameraHead, camera_matrices
from neoverse_ns.networks.neoverse.dense_head import DenseHead, GaussianHead, confidence, inverse_log
from neoverse_ns.networks.neoverse.gaussian_parameters import GaussianParameters
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from neoverse_ns.networks.neoverse.prior_tokens import Priors, PriorTokens
from neoverse_ns.networks.neoverse.recompute import run_part
from neoverse_ns.networks.neoverse.trunk import SPECIAL_TOKENS, GeometryTransformer, TrunkTokens
from neoverse_ns.networks.neoverse.uninitialised import cheap_on_meta

HeadName = Literal["depth", "points", "motion", "gaussians"]
ALL_HEADS: tuple[HeadName, ...] = get_args(HeadName)
"""Groups of dense outputs that can be left out; cameras are always predicted."""

Taps = list[Float[Tensor, "b s p c"]]


class NeoVerseNetwork(nn.Module):
    """Cameras, depth, points, motion and Gaussians of a clip from its frames alone (NeoVerse, section 3.1).

    Without gradients nothing but the results and the trunk's taps is kept. On a GPU the trunk runs in bfloat16 mixed
    precision, the heads in float32; on a CPU all is float32.
    """

    def __init__(self, architecture: NetworkArchitecture | None = None) -> None:
        super().__init__()
        architecture = architecture or NetworkArchitecture()
        architecture.validate()
        self.architecture = architecture
        dim, features = architecture.embed_dim, architecture.features

        def dense(width: int, channels: int) -> DenseHead:
            return DenseHead(width, channels, features, architecture)

        with cheap_on_meta():
            self.visual_geometry_transformer = GeometryTransformer(architecture)
            self.cam_head = CameraHead(2 * dim, architecture.heads)
            self.pts_head = dense(2 * dim, 4)
            self.depth_head = dense(2 * dim, 2)
            self.velocity_fwd_head = dense(dim, 4)
            self.velocity_bwd_head = dense(dim, 4)
            self.gs_head = GaussianHead(2 * dim, 2, architecture.gs_dim, architecture)
            self.gs_renderer = GaussianParameters(architecture.gs_dim)
            self.gs_fwd_attr_head = dense(dim, 3)
            self.gs_bwd_attr_head = dense(dim, 3)

    def forward(
        self,
        images: Float[Tensor, "b s 3 h w"],
        priors: Priors | PriorTokens | None = None,
        is_static: bool | Bool[Tensor, " b"] = False,
        use_motion: bool = True,
        head_chunk: int = 8,
        heads: Collection[HeadName] = ALL_HEADS,
        mixed_precision: bool | None = None,
        camera_rounds: bool = False,
        recompute: bool = False,
    ) -> NetworkPredictions:
        """Predict everything about a batch of clips.

        Args:
            images: Frames in [0, 1]; both sides multiples of the patch size, as with the published 336 x 560.
            priors: What is known beforehand; each prior that is given is used.
            is_static: Nothing moves: the Gaussians' last parameter is a merging weight instead of a life span. One flag
                for all clips, or one for each.
            use_motion: Predict velocities; never of a single frame.
            head_chunk: Frames that a dense head works on at once; decides memory, not results.
            heads: Dense outputs wanted.
            mixed_precision: Whether the trunk runs in bfloat16, as published; by default on a GPU alone.
            camera_rounds: Also give the cameras after every round of refinement, which training judges.
            recompute: Compute trunk, motion branch and dense heads again in the backward pass instead of keeping what
                is inside them: the memory of training for a third more time, and the same gradients.

        Raises:
            SettingsError: The images' size cannot be cut into patches, or a prior pose is not finite.
        """
        height, width = self._check_size(images)
        if isinstance(priors, Priors):
            priors = priors.tokens(height, width)
        motion = use_motion and images.shape[1] > 1
        motion = motion and bool({"motion", "gaussians"} & {*heads})
        mixed = images.is_cuda if mixed_precision is None else mixed_precision
        tokens = self.visual_geometry_transformer(images, priors, motion, mixed, recompute)
        with torch.autocast(images.device.type, enabled=False):
            rounds = self.cam_head(tokens.taps[-1][:, :, 0])
            params = rounds[-1]
            c2w, K = camera_matrices(params, height, width)
            outputs = self._dense_outputs(tokens, images, is_static, head_chunk, heads, recompute)
            if camera_rounds:
                outputs["camera_rounds"] = torch.stack(rounds, dim=1)
        centres = self.architecture.pixel_centres
        return NetworkPredictions(camera_params=params, c2w=c2w, K=K, **outputs, pixel_centres=centres)

    def _dense_outputs(
        self,
        tokens: TrunkTokens,
        images: Float[Tensor, "b s 3 h w"],
        is_static: bool | Bool[Tensor, " b"],
        chunk: int,
        heads: Collection[HeadName],
        recompute: bool,
    ) -> dict[str, Tensor]:
        size = (images.shape[-2], images.shape[-1])

        def plain(head: DenseHead, taps: Taps) -> Tensor:
            return _in_chunks(lambda _, *patches: [head([*patches], *size)], taps, chunk, recompute)[0]

        outputs: dict[str, Tensor] = {}
        if "depth" in heads:
            raw = plain(self.depth_head, tokens.taps)
            outputs |= {"depth": raw[..., 0].exp(), "depth_conf": confidence(raw[..., 1])}
        if "points" in heads:
            raw = plain(self.pts_head, tokens.taps)
            outputs |= {"pts3d": inverse_log(raw[..., :3]), "pts3d_conf": confidence(raw[..., 3])}
        for side, taps in (("fwd", tokens.forward), ("bwd", tokens.backward)):
            if taps and "motion" in heads:
                raw = plain(self.get_submodule(f"velocity_{side}_head"), taps)  # type: ignore[arg-type]
                outputs[f"velocity_{side}"] = inverse_log(raw[..., :3])
                outputs[f"velocity_{side}_conf"] = confidence(raw[..., 3])
            if taps and "gaussians" in heads:
                raw = plain(self.get_submodule(f"gs_{side}_attr_head"), taps)  # type: ignore[arg-type]
                outputs[f"gs_{side}_attr"] = raw.tanh() * (math.pi / math.sqrt(3))
        if "gaussians" in heads:

            def gaussians(frames: slice, *patches: Tensor) -> list[Tensor]:
                # The feature map is ten times as large as what it becomes: it must not outlive its chunk.
                features = self.gs_head.features([*patches], *size)
                raw = self.gs_head.read_out(features)
                pictures = images[:, frames]
                merged = self.gs_head.with_image(features, pictures.flatten(0, 1))
                still = is_static
                if isinstance(still, Tensor):
                    still = still.repeat_interleave(pictures.shape[1])
                return [raw, self.gs_renderer(merged, still)]

            raw, params = _in_chunks(gaussians, tokens.taps, chunk, recompute)
            outputs |= {"gs_depth": raw[..., 0].exp(), "gs_depth_conf": confidence(raw[..., 1]), "gs_params": params}
        return outputs

    def _check_size(self, images: Float[Tensor, "b s 3 h w"]) -> tuple[int, int]:
        height, width = images.shape[-2:]
        patch = self.architecture.patch_size
        if images.shape[1] < 1 or height < patch or width < patch or height % patch or width % patch:
            fitting = [max(patch, round(side / patch) * patch) for side in (width, height)]
            raise SettingsError(
                f"the network reads frames whose sides are multiples of {patch} pixels, got {images.shape[1]} of "
                f"{width}x{height}: resize to {fitting[0]}x{fitting[1]}"
            )
        return height, width


def _in_chunks(
    run: Callable[..., list[Tensor]], taps: Taps, chunk: int, recompute: bool
) -> list[Float[Tensor, "b s h w _"]]:
    """Outputs of `run`, given some frames and the patch tokens [n,p,c] of every tap, for all frames."""
    batch, count = taps[0].shape[:2]
    results: list[list[Tensor]] = []
    for first in range(0, count, chunk):
        frames = slice(first, min(first + chunk, count))
        patches = [tokens[:, frames, SPECIAL_TOKENS:].flatten(0, 1) for tokens in taps]
        results.append(
            [part.unflatten(0, (batch, -1)) for part in run_part(run, frames, *patches, recompute=recompute)]
        )
    return [torch.cat(parts, dim=1) for parts in zip(*results, strict=True)]
