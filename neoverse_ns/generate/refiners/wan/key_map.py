"""Names of the transformer's tensors: as the release's shards have them, and as diffusers' modules do.

Two closed tables, one for what stands alone and one for what stands inside a block, read in both directions. A name
that neither table knows is an error, so that a checkpoint of something else is never loaded in part. Diffusers' own
converter misses the control branch and has no way back (`test_diffusers_converter_misses_the_control_branch`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from neoverse_ns.errors import WeightsError

ALONE = {
    "patch_embedding": "patch_embedding",
    "text_embedding.0": "condition_embedder.text_embedder.linear_1",
    "text_embedding.2": "condition_embedder.text_embedder.linear_2",
    "time_embedding.0": "condition_embedder.time_embedder.linear_1",
    "time_embedding.2": "condition_embedder.time_embedder.linear_2",
    "time_projection.1": "condition_embedder.time_proj",
    "head.modulation": "scale_shift_table",
    "head.head": "proj_out",
    "control_patch_embedding": "vace_patch_embedding",
    "control_mask_cam_embedding": "mask_camera_embedding",
}
"""Release -> diffusers, outside the blocks. Only the last entry is no part of `WanVACETransformer3DModel`."""

INSIDE = {
    "modulation": "scale_shift_table",
    **{f"self_attn.{old}": f"attn1.{new}" for old, new in (("q", "to_q"), ("k", "to_k"), ("v", "to_v"))},
    "self_attn.o": "attn1.to_out.0",
    "self_attn.norm_q": "attn1.norm_q",
    "self_attn.norm_k": "attn1.norm_k",
    **{f"cross_attn.{old}": f"attn2.{new}" for old, new in (("q", "to_q"), ("k", "to_k"), ("v", "to_v"))},
    "cross_attn.o": "attn2.to_out.0",
    "cross_attn.norm_q": "attn2.norm_q",
    "cross_attn.norm_k": "attn2.norm_k",
    # The release numbers the norms in the order they were added, diffusers in the order they run.
    "norm2": "norm3",
    "norm3": "norm2",
    "ffn.0": "ffn.net.0.proj",
    "ffn.2": "ffn.net.2",
}
CONTROL_ONLY = {"before_proj": "proj_in", "after_proj": "proj_out"}
BLOCKS = {"blocks": ("blocks", INSIDE), "control_blocks": ("vace_blocks", {**INSIDE, **CONTROL_ONLY})}

_ALONE_BACK = {new: old for old, new in ALONE.items()}
_BLOCKS_BACK = {group: (old, {new: inner for inner, new in table.items()}) for old, (group, table) in BLOCKS.items()}


def to_diffusers(key: str) -> str:
    """Name in diffusers' layout of the release's tensor `key`.

    Raises:
        WeightsError: `key` is not a name of the release.
    """
    return _rename(key, ALONE, BLOCKS, "release")


def to_release(key: str) -> str:
    """Name in the release's layout of diffusers' tensor `key`; the inverse of :func:`to_diffusers`.

    Raises:
        WeightsError: `key` is not a name of the transformer or its control branch in diffusers' layout.
    """
    return _rename(key, _ALONE_BACK, _BLOCKS_BACK, "diffusers")


def match_keys(release_keys: Iterable[str], model_keys: Iterable[str]) -> dict[str, str]:
    """Pair every tensor of a release checkpoint with one of the model, one to one.

    Args:
        release_keys: Names in the checkpoint.
        model_keys: Names in the model's state dict (diffusers' layout).

    Returns:
        Release name -> model name, for all of both.

    Raises:
        WeightsError: A name is unknown, two names meet, or a tensor of either side is left over; names the first ones.
    """
    pairs = {key: to_diffusers(key) for key in release_keys}
    if len(set(pairs.values())) != len(pairs):
        doubled = [key for key, count in Counter(pairs.values()).items() if count > 1]
        raise WeightsError(f"two tensors of the checkpoint fall on one of the model: {_some(doubled)}")
    given, wanted = set(pairs.values()), set(model_keys)
    if missing := sorted(wanted - given):
        raise WeightsError(
            f"the checkpoint lacks {len(missing)} of {len(wanted)} tensors of the model ({_some(missing)}): "
            "download all of its files again"
        )
    if left := sorted(given - wanted):
        raise WeightsError(
            f"the checkpoint has {len(left)} tensors that the model has no place for ({_some(left)}): "
            "it belongs to another model, or to another config.json"
        )
    return pairs


def _rename(key: str, alone: dict[str, str], blocks: dict[str, tuple[str, dict[str, str]]], layout: str) -> str:
    head, _, rest = key.partition(".")
    if head in blocks:
        number, _, inner = rest.partition(".")
        group, table = blocks[head]
        if number.isdigit() and (renamed := _swap_front(inner, table)) is not None:
            return f"{group}.{number}.{renamed}"
    elif (renamed := _swap_front(key, alone)) is not None:
        return renamed
    raise WeightsError(f"'{key}' is no tensor of Wan 2.1 with a control branch in the {layout} layout")


def _swap_front(key: str, table: dict[str, str]) -> str | None:
    """Replace the longest entry of `table` that `key` begins with, at a dot or the end; None where none does."""
    parts = key.split(".")
    for length in range(len(parts), 0, -1):
        if (new := table.get(".".join(parts[:length]))) is not None:
            return ".".join([new, *parts[length:]])
    return None


def _some(keys: list[str]) -> str:
    return ", ".join(keys[:3]) + (", ..." if len(keys) > 3 else "")
