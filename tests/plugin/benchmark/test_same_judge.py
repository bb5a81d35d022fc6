"""What ns-eval says of a target is what the judge of views says of it, whatever a protocol counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neoverse_ns.evaluation.data.scene import BenchmarkFrame, BenchmarkPixels, Known
from neoverse_ns.evaluation.judges.views.make_task import view_task
from neoverse_ns.evaluation.judges.views.targets import MASKS, SEEN, TargetJudge
from neoverse_ns.evaluation.protocol.aliases import protocols
from neoverse_ns.plugin.benchmark.evaluator import TargetEvaluator
from neoverse_ns.plugin.benchmark.targets import RunTargets, Truth, load_targets, save_targets
from tests.evaluation.memory_scene import MemoryScene, even_to_odd, protocol, room_scene

METRICS = ("psnr", "mpsnr", "ssim-sk11", "mssim")
WORDS = [f"{kind}{end}" for kind in MASKS for end in ("", SEEN)]


class MaskedScene(MemoryScene):
    """Has a mask of every kind, each of its own; of the last target none."""

    def read(self, frame: BenchmarkFrame, *what: Known) -> BenchmarkPixels:
        found = super().read(frame, *what)
        rows = torch.arange(frame.height)[:, None].expand(frame.height, frame.width)
        least = {"valid": 4, "covis": 8, "dynamic": 24}
        masks = {kind: rows >= least[kind] for kind in what if kind in least and frame.name != "0/003.png"}
        return replace(found, masks=masks)


@pytest.fixture(scope="module")
def scene() -> MaskedScene:
    made = room_scene(frames=5, width=48, height=32)
    return MaskedScene(made._pictures, list(made.frames), {})


@pytest.mark.parametrize("word", WORDS)
def test_both_judge_alike(word: str, scene: MaskedScene, tmp_path: Path) -> None:
    rules, choice = protocol(mask=word, metrics=METRICS), even_to_odd(scene)
    judge = TargetJudge(rules, scene)
    task = view_task(rules, scene, choice, tmp_path)
    targets = RunTargets(
        alias=rules.alias,
        id="id",
        note="",
        placing=rules.cameras,
        mask=word,
        metrics=METRICS,
        scene=scene.name,
        inputs=task.names,
        targets=task.targets,
    )
    save_targets(targets, tmp_path / "targets", lambda index: Truth(*judge.truth(choice.targets[index])))
    evaluator = TargetEvaluator(load_targets(tmp_path / "targets"))
    generator = torch.Generator().manual_seed(1)
    shown, expected = [], []
    for number, frame in enumerate(choice.targets):
        truth = evaluator.targets.truth(number)
        # The truth with noise, its left third black, and a part of a grey level that no file keeps.
        rgb = truth.rgb / 255 + 0.05 * torch.randn(truth.rgb.shape, generator=generator)
        rgb[:, :16] = 0
        one = torch.zeros(*rgb.shape[:2], 1)
        batch = {"image": truth.rgb.float() / 255, "target": number}
        batch |= {} if truth.mask is None else {"target_mask": truth.mask}
        evaluator.evaluate({"rgb": rgb, "accumulation": one, "depth": one}, batch)
        shown.append((rgb.clamp(0, 1) * 255).round().to(torch.uint8))
        expected.append(judge.measure(frame, shown[-1]))
    facts = evaluator.facts()
    found = [{name: row[name] for name in METRICS if row[name] is not None} for row in facts["per_image"]]
    assert found == expected
    assert facts["skipped"] == judge.skipped
    # Something is judged, and the words do not all mean the same.
    assert set(found[0]) == set(METRICS)
    assert bool(found[1]) == word.startswith("plain")
    if word.endswith(SEEN):
        # Black counts as right, or not at all.
        blind = TargetJudge(replace(rules, mask=word.removesuffix(SEEN)), scene).measure(choice.targets[0], shown[0])
        assert found[0]["mpsnr"] > blind["mpsnr"] + 1


def test_every_word_that_a_protocol_of_views_uses_is_among_them() -> None:
    assert {one.mask for one in protocols().values() if one.kind == "views"} <= set(WORDS)
