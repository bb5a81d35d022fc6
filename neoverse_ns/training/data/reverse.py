"""A sample run backward."""

from __future__ import annotations

from dataclasses import fields, replace

from torch import Tensor

from neoverse_ns.training.data.normalise import normalise
from neoverse_ns.training.data.sample import TrainingSample

_OF_FRAMES = ("rgb", "K", "c2w", "depth", "valid")


def reverse_sample(sample: TrainingSample) -> TrainingSample:
    """The same frames in reverse, in the world and unit of what is the first keyframe then; its own inverse."""
    return normalise(flip(sample))


def flip(sample: TrainingSample) -> TrainingSample:
    """Frames in reverse with times that ascend again; forward and backward motion change places.

    World and unit stay; see :func:`reverse_sample`.
    """
    k = len(sample.inputs)
    changed: dict[str, Tensor] = {name: _both_kinds(getattr(sample, name), k) for name in _OF_FRAMES}
    changed["inputs"] = sample.inputs.flip(0)
    changed["times"] = _both_kinds(sample.times[k - 1] - sample.times, k)
    for there, back in (("v_fwd", "v_bwd"), ("v_fwd_valid", "v_bwd_valid")):
        changed[there], changed[back] = getattr(sample, back).flip(0), getattr(sample, there).flip(0)
    assert set(changed) < {field.name for field in fields(TrainingSample)}
    return replace(sample, **changed)


def _both_kinds(values: Tensor, k: int) -> Tensor:
    """Keyframes in reverse, then intermediates in reverse."""
    order = [*range(k - 1, -1, -1), *range(len(values) - 1, k - 1, -1)]
    return values[order]
