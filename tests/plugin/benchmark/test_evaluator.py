"""What ns-eval measures of a target is what ns-neoverse evaluate does, whatever the protocol's mask."""

from __future__ import annotations

import dataclasses
import math

import pytest
import torch

from neoverse_ns.metrics.image import psnr
from neoverse_ns.plugin.benchmark.evaluator import TargetEvaluator
from tests.plugin.benchmark.test_targets import some_targets


def values(mask: str, counts: torch.Tensor | None) -> tuple[float, torch.Tensor, torch.Tensor]:
    """mPSNR of a picture whose left half is black; and the picture and the truth."""
    generator = torch.Generator().manual_seed(0)
    shown, truth = ((torch.rand(6, 8, 3, generator=generator) * 200 + 50).round() / 255 for _ in range(2))
    shown[:, :4] = 0
    evaluator = TargetEvaluator(dataclasses.replace(some_targets(), mask=mask, metrics=("mpsnr",)))
    outputs = {"rgb": shown, "accumulation": torch.ones(6, 8, 1), "depth": torch.ones(6, 8, 1)}
    batch = {"image": truth, "target": 0} | ({} if counts is None else {"target_mask": counts})
    return evaluator.evaluate(outputs, batch)[0]["mpsnr"], shown, truth


def test_black_is_left_out_where_the_protocol_says_so() -> None:
    found, shown, truth = values("plain-seen", None)
    assert found == pytest.approx(psnr(shown[:, 4:], truth[:, 4:]), abs=1e-9)


def test_inside_a_mask_black_is_right_by_then() -> None:
    mask = torch.zeros(6, 8, dtype=torch.bool)
    mask[:3] = True
    found, shown, truth = values("dyn-seen", mask)
    blackened = truth.clone()
    blackened[:, :4] = 0
    assert found == pytest.approx(psnr(shown, blackened, mask), abs=1e-9)


def test_a_mask_that_is_missing_gives_no_value() -> None:
    assert math.isnan(values("covis", None)[0])
    assert math.isfinite(values("plain", None)[0])
