"""The samples of a validation are the same each time, plain, and all of them are some process's."""

from __future__ import annotations

from pathlib import Path

import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.training.data.draw import SampleConfig
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.worlds import WorldRows
from neoverse_ns.training.data.sources import ClipSource
from neoverse_ns.training.reconstructor.validation.samples import FixedSamples

PLAN = PlanConfig(longest_side=42, aspect=(1.5, 1.5))


def samples(rows, **config) -> FixedSamples:
    return FixedSamples([ClipSource("worlds", Path(), rows)], 2, 2, PLAN, SampleConfig(**config))


def test_are_the_same_whatever_training_does_to_its_own():
    rows = WorldRows(8, "val", 42, 28)
    batch = samples(rows)[1]
    torch.manual_seed(3)
    worn = samples(rows, reversal=1.0, enlargement=1.3, wear=WearConfig(share=1.0))[1]
    assert batch is not None
    assert worn is not None
    assert batch.names == worn.names
    for name in ("inputs", "rgb", "depth", "c2w", "v_fwd"):
        assert torch.equal(getattr(batch.tensors, name), getattr(worn.tensors, name)), name
    # Neither worn nor of other colours.
    assert torch.equal(batch.tensors.inputs, batch.tensors.rgb[:, :2])
    assert "val-000000004" in batch.names[0]


def test_every_sample_is_one_processes_and_all_take_part_alike():
    fixed = FixedSamples([ClipSource("worlds", Path(), WorldRows(8, "val", 42, 28))], 5, 2, PLAN, SampleConfig())
    shares = [list(fixed.share(process, 3)) for process in range(3)]
    assert shares == [[0, 3], [1, 4], [2, None]]


def test_a_clip_that_cannot_be_used_is_replaced_and_none_at_all_is_told(capsys):
    good = WorldRows(8, "val", 42, 28)[0]
    bad = ManifestRow("broken", "worlds", {}, 33, 12.0, split="val")
    batch = samples([bad, good])[0]
    assert batch is not None
    assert "val-000000000" in batch.names[0]
    assert samples([bad, bad])[0] is None
    assert "sample 0 of the validation is left out: world broken has no seed" in " ".join(
        capsys.readouterr().out.split()
    )
