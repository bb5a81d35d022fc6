"""How much memory a clip will take, before anything is loaded, and what to offload so that it fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch

from neoverse_ns.errors import MemoryShortageError
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.config import FRAMES_PER_LATENT, SIDE_MULTIPLE, Offload, WanConfig
from neoverse_ns.generate.refiners.wan.files import WanFiles
from neoverse_ns.weights import device_memory

GIGABYTE = 1e9
MARGIN = 1.5e9
"""What CUDA's context, its libraries and fragmentation take: on an H100, 81 frames of 560x336 held 0.9 GB more than the
weights and activations counted here, and the context itself comes on top."""
TILE = 256
"""Side in pixels of the autoencoder's tiles."""
VAE_COPIES = 14
"""Full-resolution maps of the autoencoder's narrowest width that its decoder holds at once for every frame of a latent
(measured)."""
DEFAULT_VAE_WIDTH = 96


@dataclass(frozen=True)
class ClipSize:
    """Frames that are refined at once, padded."""

    frames: int
    height: int
    width: int

    @property
    def tokens(self) -> int:
        latents = (self.frames - 1) // FRAMES_PER_LATENT + 1
        return latents * (self.height // SIDE_MULTIPLE) * (self.width // SIDE_MULTIPLE)


@dataclass(frozen=True)
class ModelSize:
    """Bytes of the parts' weights, and what their activations are computed from.

    Attributes:
        transformer: With its control branch.
        block: One of its blocks.
        text_encoder: UMT5.
        vae: The video autoencoder.
        architecture: Of the transformer.
        vae_width: The autoencoder's narrowest.
        number_bytes: Of a weight.
        pinned_transformer: In main memory that a GPU may read by itself, see :func:`pinned_bytes`.
        pinned_text_encoder: Likewise.
    """

    transformer: int
    block: int
    text_encoder: int
    vae: int
    architecture: WanArchitecture
    vae_width: int
    number_bytes: int
    pinned_transformer: int
    pinned_text_encoder: int

    @property
    def weights(self) -> int:
        return self.transformer + self.text_encoder + self.vae


@dataclass(frozen=True)
class Plan:
    """How the model is run, and what that takes.

    Attributes:
        offload: What waits in main memory.
        tiled: Whether the autoencoder works in tiles.
        device_bytes: Peak on the device that computes.
        host_bytes: Peak of main memory, where that is not the device.
        pinned: Whether blocks wait in pinned memory, which copies faster and takes more; else each is pinned when it
            is its turn.
    """

    offload: Offload
    tiled: bool
    device_bytes: float
    host_bytes: float
    pinned: bool = False

    def fits(self, free_device: float, free_host: float) -> bool:
        return self.device_bytes <= free_device and self.host_bytes <= free_host

    def __str__(self) -> str:
        settings = f"offload={self.offload}" + (", tiled_vae=on" if self.tiled else "")
        settings += ", pinned" if self.pinned else ""
        host = f" and {self.host_bytes / GIGABYTE:.1f} GB of main memory" if self.host_bytes else ""
        return f"{settings} (about {self.device_bytes / GIGABYTE:.1f} GB{host})"


def model_size(files: WanFiles, architecture: WanArchitecture, dtype: torch.dtype) -> ModelSize:
    """Sizes of the weights once loaded, from the files' shapes."""
    number = dtype.itemsize
    blocks = architecture.layers + len(architecture.control_layers)
    return ModelSize(
        transformer=files.transformer.parameters * number,
        # Hardly anything of the transformer is outside its blocks.
        block=files.transformer.parameters * number // blocks,
        text_encoder=files.text_encoder.parameters * number,
        vae=files.vae.parameters * number,
        architecture=architecture,
        vae_width=int(files.vae.config.get("base_dim", DEFAULT_VAE_WIDTH)),
        number_bytes=number,
        pinned_transformer=pinned_bytes(files.transformer.shapes, number),
        pinned_text_encoder=pinned_bytes(files.text_encoder.shapes, number),
    )


def pinned_bytes(shapes: Mapping[str, Sequence[int]], number_bytes: int) -> int:
    """Main memory that tensors take once they are pinned: torch rounds each up to a power of two.

    A matrix of 13,824 x 5,120 in bfloat16, 142 MB, takes 268.
    """
    sizes = (math.prod(shape) * number_bytes for shape in shapes.values())
    return sum(1 << (size - 1).bit_length() for size in sizes if size > 0)


def transformer_activations(model: ModelSize, clip: ClipSize) -> float:
    """Peak of one forward pass beside the weights.

    Locked by a count of the allocations of the released size: 3.2 GB for 81 frames of 336x560 in bfloat16.
    """
    wide = model.architecture
    # Queries, keys, values and the residual stream, the normalised input in float32, and every hint until it is used.
    per_token = wide.dim * (8 * model.number_bytes + 8) + len(wide.control_layers) * wide.dim * model.number_bytes
    per_token = max(per_token, wide.dim * 12 + 2 * wide.ffn_dim * model.number_bytes)
    return float(clip.tokens * per_token)


def vae_activations(model: ModelSize, clip: ClipSize, tiled: bool) -> float:
    """Peak of encoding or decoding beside the weights: frames in work, and the whole video twice."""
    pixels = clip.height * clip.width
    in_work = min(pixels, TILE * TILE) if tiled else pixels
    maps = VAE_COPIES * FRAMES_PER_LATENT * in_work * model.vae_width * model.number_bytes
    return float(maps + 2 * clip.frames * 3 * pixels * model.number_bytes * (2 if tiled else 1))


def plan_of(
    model: ModelSize, clip: ClipSize, offload: Offload, tiled: bool, on_cpu: bool, pinned: bool = False
) -> Plan:
    """What one way of running takes."""
    sampling, video = transformer_activations(model, clip), vae_activations(model, clip, tiled)
    if offload == "none" or on_cpu:
        device = model.weights + max(sampling, video)
        return Plan(offload, tiled, device + (0.0 if on_cpu else MARGIN), 0.0)
    if offload == "components":
        device = max(model.text_encoder, model.vae + video, model.transformer + sampling)
    else:
        # The block that runs, the next one, and what belongs to no block.
        device = max(3 * model.block + sampling, model.vae + video)
    pinned = pinned and offload == "blocks"
    return Plan(offload, tiled, device + MARGIN, _host_bytes(model, offload, pinned), pinned)


def _host_bytes(model: ModelSize, offload: Offload, pinned: bool) -> float:
    """Peak of main memory: the weights, or, while they are pinned, one part after the other, both copies of a part."""
    if not pinned:
        # Two blocks at a time are pinned on their way to the device, in sizes that are powers of two.
        return float(model.weights + (4 * model.block if offload == "blocks" else 0))
    first = model.weights + model.pinned_transformer
    second = model.pinned_transformer + model.text_encoder + model.pinned_text_encoder + model.vae
    return float(max(first, second))


def choose_plan(
    model: ModelSize, clip: ClipSize, config: WanConfig, device: torch.device, free_device: float, free_host: float
) -> Plan:
    """The fastest way of running that `config` allows and that fits.

    Args:
        model: Sizes of the weights.
        clip: Frames of one window.
        config: Its `offload` and `tiled_vae` may leave the choice open.
        device: That computes.
        free_device: Bytes free there, counting those that this model's weights already hold.
        free_host: Bytes of main memory that are free.

    Raises:
        MemoryShortageError: Nothing that is allowed fits; the message says what would.
    """
    on_cpu = device.type == "cpu"
    every = [plan_of(model, clip, way, tiled, on_cpu, pinned) for way, tiled, pinned in _ways(on_cpu)]
    wanted = [plan for plan in every if _allowed(plan, config)]
    if not wanted:
        # On a CPU offloading saves nothing, but it is done where it is asked for.
        wanted = [plan_of(model, clip, _asked(config), config.tiled_vae == "on", on_cpu)]
    for plan in wanted:
        if plan.fits(free_device, free_host):
            return plan
    fitting = next((plan for plan in every if plan.fits(free_device, free_host)), None)
    least, smallest = wanted[-1], min(every, key=lambda plan: (plan.device_bytes, plan.host_bytes))
    advice = (
        f"use {fitting}"
        if fitting is not None
        else f"even {smallest} does not fit: take smaller frames, a shorter window, or a machine with more memory"
    )
    raise MemoryShortageError(
        f"{clip.frames} frames of {clip.width}x{clip.height} do not fit on {device} with {least}: "
        f"{free_device / GIGABYTE:.1f} GB are free there"
        + ("" if on_cpu else f", and {free_host / GIGABYTE:.1f} GB of main memory")
        + f": {advice}"
    )


def free_memory(device: torch.device) -> tuple[float, float]:
    """Bytes free on the device and in main memory; without end where the system does not tell."""
    free, host = device_memory.free_memory(device), device_memory.free_memory("cpu")
    return (math.inf if free is None else float(free)), (math.inf if host is None else float(host))


def _ways(on_cpu: bool) -> Iterator[tuple[Offload, bool, bool]]:
    """Ways of running (offload, tiled, pinned), the fastest first."""
    ways: list[tuple[Offload, bool]] = [("none", False)]
    if not on_cpu:
        ways.extend([("components", False), ("blocks", True), ("blocks", False)])
    for offload, pinned in ways:
        for tiled in (False, True):
            yield offload, tiled, pinned


def _asked(config: WanConfig) -> Offload:
    return "none" if config.offload == "auto" else config.offload


def _allowed(plan: Plan, config: WanConfig) -> bool:
    tiled = {"on": True, "off": False}.get(config.tiled_vae, plan.tiled)
    return config.offload in ("auto", plan.offload) and plan.tiled == tiled
