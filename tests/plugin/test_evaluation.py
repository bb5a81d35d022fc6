"""Evaluation: regions, summaries that JSON can hold, pictures."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from neoverse_ns.plugin.evaluation import ImageEvaluator, summarise


def outputs(seed: int = 0) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    generator = torch.Generator().manual_seed(seed)
    truth = torch.rand(24, 32, 3, generator=generator)
    noise = 0.1 * torch.randn(24, 32, 3, generator=generator)
    dynamic = torch.zeros(24, 32, dtype=torch.bool)
    dynamic[:, :8] = True
    noise[:, :8] *= 3
    alpha = torch.ones(24, 32, 1)
    alpha[:6] = 0.3
    drawn = {"rgb": (truth + noise).clamp(0, 1), "accumulation": alpha, "depth": torch.ones(24, 32, 1)}
    return drawn, {"image": truth, "dynamic_mask": dynamic}


def test_regions_are_measured_by_themselves() -> None:
    drawn, batch = outputs()
    metrics, _ = ImageEvaluator(None).evaluate(drawn, batch)
    squares = ((drawn["rgb"] - batch["image"]) ** 2).double().numpy()
    dynamic = batch["dynamic_mask"].numpy()
    covered = np.zeros((24, 32), dtype=bool)
    covered[6:] = True
    regions = {"": np.ones_like(covered), "_covered": covered, "_static": ~dynamic, "_dynamic": dynamic}
    for suffix, region in regions.items():
        assert metrics[f"psnr{suffix}"] == pytest.approx(-10 * math.log10(squares[region].mean()), abs=1e-3), suffix
        assert 0 < metrics[f"ssim{suffix}"] < 1
    assert metrics["alpha_coverage"] == pytest.approx(18 / 24)
    assert metrics["dynamic_share"] == pytest.approx(0.25)
    assert metrics["psnr_dynamic"] < metrics["psnr_static"] - 5


def test_records_gather_every_image() -> None:
    evaluator = ImageEvaluator(None)
    for seed in range(3):
        evaluator.evaluate(*outputs(seed))
    summary = summarise(evaluator.records)
    values = [record["psnr"] for record in evaluator.records]
    assert summary["psnr"] == pytest.approx(np.mean(values))
    assert summary["psnr_std"] == pytest.approx(np.std(values, ddof=1), rel=1e-5)


def test_unknown_masks_leave_regions_out() -> None:
    drawn, batch = outputs()
    del batch["dynamic_mask"]
    metrics, _ = ImageEvaluator(None).evaluate(drawn, batch)
    assert not [name for name in metrics if "dynamic" in name or "static" in name]


def test_empty_region_is_undefined_and_becomes_null() -> None:
    drawn, batch = outputs()
    batch["dynamic_mask"] = torch.zeros(24, 32, dtype=torch.bool)
    evaluator = ImageEvaluator(None)
    metrics, _ = evaluator.evaluate(drawn, batch)
    assert math.isnan(metrics["psnr_dynamic"])
    summary = summarise(evaluator.records)
    assert summary["psnr_dynamic"] is None
    assert summary["psnr_std"] is None
    json.dumps(summary, allow_nan=False)


def test_summaries_average_where_a_metric_is_defined() -> None:
    records = [{"a": 1.0, "b": math.nan}, {"a": 3.0, "b": 5.0}, {"a": math.inf}]
    summary = summarise(records)
    assert summary == {"a": 2.0, "a_std": pytest.approx(math.sqrt(2)), "b": 5.0, "b_std": None}
    assert summarise([]) == {}


def test_pictures_are_images_with_plain_names() -> None:
    drawn, batch = outputs()
    _, pictures = ImageEvaluator(None).evaluate(drawn, batch)
    for name, picture in pictures.items():
        assert "/" not in name
        assert picture.ndim == 3
        assert picture.shape[-1] == 3
        assert 0 <= float(picture.min()) <= float(picture.max()) <= 1
    assert torch.equal(pictures["img"][:, :32], batch["image"])
    assert torch.equal(pictures["img"][:, 32:], drawn["rgb"])


def test_what_is_no_part_of_the_world_is_counted_nowhere() -> None:
    drawn, batch = outputs()
    world = torch.ones(24, 32, dtype=torch.bool)
    world[16:] = False
    found = []
    for value in (0.0, 0.7):
        image = batch["image"].clone()
        image[~world] = value
        found.append(ImageEvaluator(None).evaluate(drawn, {**batch, "image": image, "world_mask": world})[0])
    assert found[0] == found[1]
    squares = ((drawn["rgb"] - batch["image"]) ** 2).double()
    dynamic = batch["dynamic_mask"]
    for suffix, region in {"": world, "_static": world & ~dynamic, "_dynamic": world & dynamic}.items():
        assert found[0][f"psnr{suffix}"] == pytest.approx(-10 * math.log10(float(squares[region].mean())), abs=1e-3)
    assert found[0]["ignored_share"] == pytest.approx(1 / 3)
    assert found[0]["alpha_coverage"] == pytest.approx(10 / 16)
