"""One camera's picture from the C++ kernels, differentiable."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.errors import SettingsError
from neoverse_ns.rasterize.cpu.library import COMPILED_FEATURES, Frame, load_kernels
from neoverse_ns.rasterize.settings import RasterSettings
from neoverse_ns.rasterize.view import RenderedView

TILE = 16
SPLAT_FLOATS = 9
MOMENTS = 6
VIEW_SUMS = 15
MAX_PAIRS = 2**31 - 1


def render_view(
    means: Float[Tensor, "n 3"],
    quats: Float[Tensor, "n 4"],
    scales: Float[Tensor, "n 3"],
    opacities: Float[Tensor, " n"],
    colors: Float[Tensor, "n d"] | Float[Tensor, "n b 3"],
    viewmat: Float[Tensor, "4 4"],
    K: Float[Tensor, "3 3"],
    background: Float[Tensor, " d"] | None,
    settings: RasterSettings,
) -> RenderedView:
    """Render one camera with the C++ kernels; float32 CPU tensors only.

    `colors` are spherical harmonics where `settings.sh_degree` is given; `d` is 0 for depth-only modes.

    Raises:
        KernelBuildError: The kernels cannot be compiled on this machine.
        SettingsError: The Gaussians are so large that they cover more than 2^31 tiles together.
    """
    widest = COMPILED_FEATURES[-1]
    groups = [slice(0, colors.shape[1])]
    if colors.ndim == 2 and colors.shape[1] + int(settings.has_depth) > widest:
        groups = [slice(start, start + widest) for start in range(0, colors.shape[1], widest)]
        groups += [slice(0, 0)] if settings.has_depth else []
    parts = []
    for group in groups:
        with_depth = settings.has_depth and group is groups[-1]
        part = None if background is None else background[group]
        parts.append(
            _CompositeView.apply(
                means, quats, scales, opacities, colors[:, group], viewmat, part, K, settings, with_depth
            )
        )
    image = parts[0][0] if len(parts) == 1 else torch.cat([part[0] for part in parts], dim=-1)
    _, alpha, radii, means2d = parts[0]
    return RenderedView(image, alpha, radii, means2d)


def _make_frame(colors: Tensor, with_depth: bool, settings: RasterSettings) -> Frame:
    harmonics = colors.ndim == 3
    drawn = colors.shape[-1]
    channels = drawn + int(with_depth)
    return Frame(
        count=colors.shape[0],
        width=settings.width,
        height=settings.height,
        colors=drawn,
        depth=(2 if settings.expected_depth else 1) if with_depth else 0,
        features=next(width for width in COMPILED_FEATURES if width >= channels),
        antialiased=int(settings.antialiased),
        threads=torch.get_num_threads(),
        sh_degree=settings.sh_degree if harmonics else -1,
        sh_bands=colors.shape[1] if harmonics else 0,
        eps2d=settings.eps2d,
        near_plane=settings.near_plane,
        far_plane=settings.far_plane,
        radius_clip=settings.radius_clip,
    )


def _floats(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """An uninitialised buffer whose place and type do not depend on torch's defaults."""
    return torch.empty(shape, dtype=dtype, device="cpu")


def _ints(*shape: int) -> Tensor:
    return torch.empty(shape, dtype=torch.int32, device="cpu")


class _CompositeView(torch.autograd.Function):
    """Buffers are torch tensors, so that what the backward pass needs lives and dies with the graph."""

    @staticmethod
    def forward(
        ctx: Any,
        means: Tensor,
        quats: Tensor,
        scales: Tensor,
        opacities: Tensor,
        colors: Tensor,
        viewmat: Tensor,
        background: Tensor | None,
        K: Tensor,
        settings: RasterSettings,
        with_depth: bool,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        kernels = load_kernels()
        gaussians = [x.contiguous() for x in (means, quats, scales, opacities)]
        colors, viewmat, K = colors.contiguous(), viewmat.contiguous(), K.contiguous()
        count, (width, height) = means.shape[0], (settings.width, settings.height)
        frame = _make_frame(colors, with_depth, settings)
        background = None if background is None or frame.colors == 0 else background.contiguous()
        tiles = -(-width // TILE) * -(-height // TILE)
        records, depths = _floats(count, SPLAT_FLOATS + frame.features), _floats(count)
        radii, means2d, boxes = _ints(count, 2), _floats(count, 2), _ints(count, 4)
        chunk_pairs = _floats(-(-count // kernels.project_chunk), dtype=torch.int64)
        projected = (records, depths, radii, means2d, boxes, chunk_pairs)
        pairs = int(kernels.call("neoverse_project", frame, *gaussians, colors, viewmat, K, *projected) or 0)
        if pairs > MAX_PAIRS:
            raise SettingsError(
                f"rasterize: {count} Gaussians cover {pairs} tiles of a {width}x{height} image together, more than "
                f"{MAX_PAIRS}; their scales are far too large for this camera."
            )
        offsets, listed, touched = _ints(tiles + 1), _ints(pairs), _ints(pairs)
        keys, counts = _floats(2, count, dtype=torch.int64), _ints(frame.threads, tiles)
        kernels.call("neoverse_bin", frame, depths, boxes, keys, counts, offsets, listed)

        image = _floats(height, width, frame.colors + int(with_depth))
        alpha, transmittance = _floats(height, width), _floats(height, width)
        last, ends = _ints(height, width), _ints(tiles)
        lists = (records, background, offsets, listed, touched)
        kernels.call("neoverse_composite", frame, *lists, image, alpha, transmittance, last, ends)

        ctx.save_for_backward(*gaussians, colors, viewmat, K, *lists, image, alpha, transmittance, last, ends)
        ctx.frame, ctx.pairs = frame, pairs
        ctx.mark_non_differentiable(radii, means2d)
        return image, alpha, radii, means2d

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, v_image: Tensor, v_alpha: Tensor, *_: Tensor | None) -> tuple[Tensor | None, ...]:
        kernels, frame = load_kernels(), ctx.frame
        *inputs, viewmat, K, records, background, offsets, listed, touched, image, alpha, transmittance, last, ends = (
            ctx.saved_tensors
        )
        v_image, v_alpha = v_image.contiguous(), v_alpha.contiguous()
        slots = _ints(ctx.pairs)
        slot_offsets = _ints(frame.count + 1)
        drawn = int(kernels.call("neoverse_slots", frame, offsets, listed, ends, slots, slot_offsets) or 0)
        sums = _floats(drawn, MOMENTS + frame.features)
        lists, pixels = (records, background, offsets, listed, touched), (image, alpha, transmittance, last)
        kernels.call("neoverse_composite_backward", frame, *lists, ends, slots, *pixels, v_image, v_alpha, sums)
        gradients, v_viewmat = [torch.empty_like(x) for x in inputs], _floats(4, 4)
        view_sums = _floats(-(-frame.count // kernels.project_chunk), VIEW_SUMS, dtype=torch.float64)
        given = (*inputs, viewmat, K, slot_offsets, sums, view_sums)
        kernels.call("neoverse_project_backward", frame, *given, *gradients, v_viewmat)
        v_background = None
        if background is not None and ctx.needs_input_grad[6]:
            v_background = (transmittance[..., None] * v_image[..., : frame.colors]).sum((0, 1))
        return (*gradients, v_viewmat, v_background, None, None, None)
