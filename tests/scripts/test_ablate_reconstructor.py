"""What each variant leaves out, and the clip that is learned by heart."""

from __future__ import annotations

from pathlib import Path

import pytest
from ablate_reconstructor import VARIANTS, Ablation, _table

from neoverse_ns.errors import SettingsError
from neoverse_ns.training.data.sources_text import sources_of
from neoverse_ns.training.runs.settings import plain_settings


def test_each_variant_differs_in_what_it_leaves_out_alone(tmp_path: Path) -> None:
    ablation = Ablation(tmp_path, steps=8)
    settings = {name: plain_settings(ablation.config(name), ()) for name in VARIANTS}
    changed = {
        name: {key for key, value in found.items() if value != settings["full"][key]}
        for name, found in settings.items()
    }
    assert changed == {
        "full": set(),
        "without the motion branch": {"drawing.motion"},
        "without the motion term": {"loss.motion"},
        "without the opacity term": {"loss.regular"},
        "without intermediates": {"drawing.intermediates"},
    }


def test_one_clip_is_judged_at_moments_that_it_is_not_learned_at(tmp_path: Path) -> None:
    config = Ablation(tmp_path, clip=0, rate=3e-5).config("full")
    assert config.optimiser.rate == config.optimiser.rate_patch_embed == 3e-5
    config.validate()
    learned, judged = (sources_of(config.data, config.batch, split)[0] for split in ("train", "val"))
    assert len(learned.rows) == len(judged.rows) == 1
    assert learned.rows[0].source["seed"] == judged.rows[0].source["seed"] == 0
    times = [{i / (row.frames - 1) for i in range(row.frames)} for row in (learned.rows[0], judged.rows[0])]
    assert times[0] & times[1] == {0.0, 1.0}


def test_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no variant 'without colour'"):
        Ablation(tmp_path, variants=("without colour",)).run()


def test_table_leaves_out_what_was_not_measured() -> None:
    lines = _table({"full": {"psnr": 23.456, "alpha": 1.0}}).splitlines()
    assert lines[2].startswith("| full | 23.5 |  |")
    assert lines[2].endswith("| 1 |")
