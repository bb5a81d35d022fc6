"""Times by stage."""

from __future__ import annotations

from neoverse_ns.evaluation.ablations.measure import repeated
from neoverse_ns.evaluation.ablations.stages import in_stages
from neoverse_ns.evaluation.results.scene_result import SceneResult


def test_parts_add_up_to_stages_in_order() -> None:
    found = in_stages(
        {"refining": 5.0, "flow": 1.0, "cameras": 2.0, "decode": 0.5, "load": 9.0, "reconstruct_total": 9.0}
    )
    assert found == {"decode": 0.5, "cameras": 3.0, "generation": 5.0}
    assert list(found) == ["decode", "cameras", "generation"]


def test_a_part_of_no_stage_is_not_lost() -> None:
    assert in_stages({"lift": 1.0, "thinking": 2.0}) == {"gaussians": 1.0, "thinking": 2.0}


def test_times_are_medians_without_the_first_run() -> None:
    took = iter([100.0, 3.0, 1.0, 2.0])
    found = repeated(lambda: SceneResult("a", "ours", seconds={"decode": next(took), "render": 1.0}))
    assert found == {"decode": 2.0, "render": 1.0, "total": 3.0}
