"""How much memory the network needs for a clip, counted from its sizes before it runs.

The formulas follow the forward pass without gradients, one term per tensor that is alive at the worst moment of each
stage; attention runs in tiles (PyTorch's fused kernels), so no stage is quadratic in the number of tokens.

Notation: n frames, m = n - 1 gaps, T = P + 7 tokens per frame of which P patches, width C, h x w pixels per frame, k
frames in a chunk of the dense heads.
"""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.networks.neoverse.architecture import VISION_TRANSFORMERS, NetworkArchitecture
from neoverse_ns.networks.neoverse.checkpoint import Precision
from neoverse_ns.networks.neoverse.parameter_counts import GAUSSIAN_CHANNELS, HIDDEN, matrix_counts, parameter_counts

FLOAT, HALF = 4, 2
SPECIAL_TOKENS = 7

_GAUSSIAN_OUTPUTS = 2 + GAUSSIAN_CHANNELS
"""Numbers per pixel that the Gaussian head gives: depth, its confidence, parameters."""
_FRAME_OUTPUTS = 2 + 4
"""Numbers per pixel of every frame before that: depth, points, their confidences."""
_GAP_OUTPUTS = 2 * (4 + 3)
"""Numbers per pixel of every gap: velocities with confidence and angular velocities, both ways."""


@dataclass(frozen=True)
class MemoryRequest:
    """What is going to be run.

    Attributes:
        frames: That pass through the network at once.
        height: Of the frames as the network sees them, in pixels, a multiple of the patch size.
        width: Likewise.
        batch: Clips at once.
        head_chunk: Frames whose dense outputs are made at once.
        motion: Whether the motion branch runs.
        precision: Type of the stored weights; see :func:`checkpoint.load_network`.
        mixed_precision: Whether the trunk multiplies in bfloat16, as it does on a GPU.
        staged: Whether only one stage's weights are on the device; see :func:`low_vram.run_in_stages`.
    """

    frames: int
    height: int
    width: int
    batch: int = 1
    head_chunk: int = 8
    motion: bool = True
    precision: Precision = "float32"
    mixed_precision: bool = False
    staged: bool = False


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes on the device: `weights` stay while the stages, with what they keep of earlier ones, follow each other."""

    weights: int
    inputs: int
    patches: int
    trunk: int
    motion: int
    heads: int

    @property
    def activations(self) -> int:
        return self.inputs + max(self.patches, self.trunk, self.motion, self.heads)

    @property
    def peak(self) -> int:
        return self.weights + self.activations

    def describe(self) -> str:
        """The peak and its parts in gigabytes."""
        stages = {name: getattr(self, name) for name in ("patches", "trunk", "motion", "heads")}
        worst = max(stages, key=stages.__getitem__)
        return (
            f"{gigabytes(self.peak)} ({gigabytes(self.weights)} of weights, {gigabytes(self.activations)} while it "
            f"runs, most in the {worst})"
        )


def gigabytes(count: int) -> str:
    """Bytes as people say them."""
    return f"{count / 1e9:.1f} GB" if count >= 5e7 else f"{count / 1e6:.1f} MB"


def estimate_memory(architecture: NetworkArchitecture, request: MemoryRequest) -> MemoryEstimate:
    """Peak memory of :class:`NeoVerseNetwork`'s forward pass.

    Locked by `test_estimate_is_close_to_what_is_measured`. The workspaces of convolutions and the fragments that an
    allocator leaves come on top; :mod:`budget` keeps a reserve for them.
    """
    a, r = architecture, request
    pixels = r.batch * r.height * r.width * FLOAT
    taps = _taps(a, r)
    motion = _motion_outputs(a, r) if _moves(r) else 0
    return MemoryEstimate(
        weights=weight_bytes(a, r.precision, r.staged),
        inputs=3 * r.frames * pixels,
        patches=_patches(a, r),
        trunk=_trunk(a, r),
        motion=taps + motion + _motion_work(a, r) if _moves(r) else 0,
        heads=taps + motion + _heads(a, r, pixels),
    )


def weight_bytes(architecture: NetworkArchitecture, precision: Precision = "float32", staged: bool = False) -> int:
    """Bytes of the weights on the device: all of them, or those of the largest stage."""
    counts = parameter_counts(architecture)
    stages = {name: FLOAT * count for name, count in counts.items()}
    if precision == "bfloat16":
        for name, count in matrix_counts(architecture).items():
            stages[name] -= (FLOAT - HALF) * count
    return max(stages.values()) if staged else sum(stages.values())


def _moves(r: MemoryRequest) -> bool:
    return r.motion and r.frames > 1


def _tokens(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Elements of one tensor of all frames' tokens: n T C."""
    return r.batch * r.frames * (_patch_count(a, r) + SPECIAL_TOKENS) * a.embed_dim


def _patch_count(a: NetworkArchitecture, r: MemoryRequest) -> int:
    return (r.height // a.patch_size) * (r.width // a.patch_size)


def _block(r: MemoryRequest, rotary: bool) -> int:
    """Bytes per element of its tokens while a transformer block runs, without its input; the larger of two moments.

    MLP: the stream after attention, its norm, and the hidden layer (4 C) before and after GELU. Attention: the norm,
    q, k and v, and with q/k norms and rotary the normalised q and k, the turned q, and the halves of k being turned.
    """
    low = HALF if r.mixed_precision else FLOAT
    mlp = 2 * FLOAT + 8 * low + (HALF if r.mixed_precision else 0)
    # Norms give float32 even where products are in bfloat16, and so do the rotations after them.
    attention = FLOAT + 3 * low + (5 * FLOAT if rotary else 2 * low)
    return max(mlp, attention)


def _patches(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Normalised images, patches, the stream, and a block; no rotary, no q/k norm."""
    images = r.batch * r.frames * r.height * r.width * 3 * FLOAT
    tokens = _tokens(a, r)
    if a.patch_embed not in VISION_TRANSFORMERS:
        return 2 * images + 2 * FLOAT * tokens
    return 2 * images + tokens * (2 * FLOAT + _block(r, rotary=False))


def _taps(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Four taps of width 2 C."""
    return len(a.taps) * 2 * FLOAT * _tokens(a, r)


def _trunk(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Earlier taps, the patches, the first tokens, the stream before and between both blocks, and a block."""
    earlier = sum(tap < a.depth - 1 for tap in a.taps)
    rotary = 2 * FLOAT * _tokens(a, r) // a.heads // 2
    return _tokens(a, r) * ((2 * earlier + 4) * FLOAT + _block(r, rotary=True)) + rotary


def _gaps(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Elements of one tensor of all gaps' tokens: m T C."""
    return _tokens(a, r) // r.frames * (r.frames - 1)


def _motion_outputs(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Forward and backward tokens of four taps, of width C."""
    return 2 * len(a.taps) * FLOAT * _gaps(a, r)


def _motion_work(a: NetworkArchitecture, r: MemoryRequest) -> int:
    """Beside taps and outputs: tokens, patches and embedded tokens; sources, targets, both joined, and a block of both.

    The last tap's own output is not there yet while its block runs, but the joined tokens of the tap before are.
    """
    return 3 * FLOAT * _tokens(a, r) + _gaps(a, r) * (4 * FLOAT + 2 * _block(r, rotary=True))


def _heads(a: NetworkArchitecture, r: MemoryRequest, pixels: int) -> int:
    """The largest of: a dense head's chunk, the Gaussian head's chunk, and its outputs while they are joined."""
    chunk = min(r.head_chunk, r.frames)
    gaps = r.frames - 1 if _moves(r) else 0
    # The raw output of the head before (angular velocities, else points) lives until the Gaussian head's replaces it.
    raw = 3 * gaps if gaps else 4 * r.frames
    earlier = pixels * (_FRAME_OUTPUTS * r.frames + _GAP_OUTPUTS * gaps + raw)
    own = pixels * _GAUSSIAN_OUTPUTS * r.frames
    # A slice of frames of several clips must be copied to be one list of frames.
    copies = 0 if r.batch == 1 else 8 * FLOAT * _tokens(a, r) // r.frames * chunk
    plain = _dense(a, r, a.features, chunk)
    # The fused map, the same with the image's features, the hidden map of twice their width, and the outputs, beside
    # those of the chunks before.
    gaussians = pixels * chunk * (2 * a.gs_dim + _GAUSSIAN_OUTPUTS)
    gaussians = max(gaussians, _dense(a, r, a.gs_dim, chunk)) + own // r.frames * (r.frames - chunk)
    return earlier + max(copies + plain, copies + gaussians, 2 * own)


def _dense(a: NetworkArchitecture, r: MemoryRequest, features: int, chunk: int) -> int:
    """A chunk of a dense head at its worst moment: its levels, their fusion, or its map at full resolution."""
    patches, pixels = _patch_count(a, r), r.height * r.width
    first, second, third, fourth = a.out_channels
    levels = patches * (16 * first + 4 * second + third + fourth // 4 + 1)
    reduced = patches * features * (16 + 4 + 1 + 1)
    normed = patches * 4 * a.embed_dim
    # The finest fusion works at four times the patch grid, with about eight maps at a time.
    fused = patches * 16 * features * 8
    # The map, half as wide, is read out by way of the hidden channels.
    read_out = pixels * (features // 2 + HIDDEN + 4)
    # Before that the code of its grid is added: the map twice; the code twice as well, but once for all frames.
    count = r.batch * chunk
    return FLOAT * max(count * max(levels + max(reduced, normed), fused, read_out), (count + 1) * pixels * features)
