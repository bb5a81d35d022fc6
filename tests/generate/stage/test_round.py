"""A round of refined views: what it may look at, what it keeps, and what it gives."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import RefinementError, RunError, SettingsError
from neoverse_ns.gaussians.layers import FRAMES, INPAINTED
from neoverse_ns.generate.base import DEFAULT_PROMPT, Conditions, Refiner
from neoverse_ns.generate.source_scene import SourceScene
from neoverse_ns.generate.stage.config import StageConfig
from neoverse_ns.generate.stage.round import load_round, make_round, views_beside
from neoverse_ns.generate.stage.training_frames import source_key, training_source
from neoverse_ns.generate.stage.view_loss import pixel_weights, refined_view_losses
from neoverse_ns.metrics.image import ssim_map
from neoverse_ns.optimise.losses import LossConfig
from neoverse_ns.reconstruct.split import FrameSplit
from tests.generate.stage.wall import HEIGHT, WIDTH, wall, wall_cameras

SPLIT = FrameSplit(train=[0, 1, 3, 4], held_out=[2], keyframes=[0, 3, 4])


class Painter(Refiner):
    """Paints what may be repainted in one colour, and remembers what it was shown."""

    def __init__(self, value: float = 1.0) -> None:
        self.value = value
        self.sources: list[SourceScene] = []
        self.calls: list[tuple[Conditions, str, int]] = []

    def adapt(self, source: SourceScene, seed: int = 0) -> None:
        self.sources.append(source)

    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> Float[Tensor, "n h w 3"]:
        self.calls.append((conditions, prompt, seed))
        painted = torch.full_like(conditions.rgb, self.value)
        return torch.where(conditions.mask[..., None], conditions.rgb, painted)


def clip(held_out_value: int = 0) -> Clip:
    """Five frames; the third is held out."""
    frames = torch.randint(0, 256, (5, HEIGHT, WIDTH, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    frames[2] = held_out_value
    return Clip(frames, torch.arange(5), torch.arange(5, dtype=torch.float64) / 8, Path("clip.mp4"))


def source(held_out_value: int = 0) -> SourceScene:
    return training_source(
        clip(held_out_value), SPLIT, SPLIT.keyframes, wall_cameras([0.0, 0.02, 0.04, 0.06, 0.08]), wall()
    )


def config(**changes: Any) -> StageConfig:
    return StageConfig(**({"refiner": "telea", "moves": ("move_left", "orbit_right"), "distance": 0.1} | changes))


def test_held_out_frames_are_nowhere_in_what_a_refiner_sees(tmp_path: Path) -> None:
    seen = source(held_out_value=255)
    assert len(seen) == 4
    assert [round(float(t) * 4) for t in seen.times] == SPLIT.train
    assert seen.keyframes == [0, 2, 3]
    assert torch.equal(seen.frames, clip().frames[SPLIT.train])
    # Nothing of the result depends on what a held-out frame shows.
    rounds = [make_round(source(v), config(), "", 2.0, tmp_path / str(v), Painter) for v in (0, 255)]
    assert torch.equal(rounds[0].views.frames, rounds[1].views.frames)
    assert source_key(source(0), {}) == source_key(source(255), {})
    # Nor are held-out times drawn.
    assert sorted(set(rounds[0].views.times.tolist())) == sorted(seen.times.tolist())


def test_what_an_earlier_round_inpainted_is_not_taken_for_seen() -> None:
    scene = wall()
    inpainted = scene.frames.with_(means=scene.frames.means + 1)
    cameras = wall_cameras([0.0] * 5)
    again = training_source(clip(), SPLIT, SPLIT.keyframes, cameras, scene.replaced(INPAINTED, inpainted))
    assert list(again.gaussians) == [FRAMES]
    assert torch.equal(again.gaussians.frames.means, scene.frames.means)


def test_views_stand_beside_the_path_by_a_share_of_the_median_depth() -> None:
    cameras = wall_cameras([0.0, 0.5])
    left = views_beside(cameras, "move_left", 3.0, config(distance=0.1))
    torch.testing.assert_close(left.c2w[:, :3, 3], cameras.c2w[:, :3, 3] + torch.tensor([-0.3, 0.0, 0.0]))
    orbit = views_beside(cameras, "orbit_right", 3.0, config(angle=10.0))
    # The point at median depth stays in the middle of an orbiting view.
    ahead = cameras.c2w[:, :3, 3] + torch.tensor([0.0, 0.0, 3.0])
    local = torch.einsum("nji,nj->ni", orbit.c2w[:, :3, :3], ahead - orbit.c2w[:, :3, 3])
    torch.testing.assert_close(local, torch.tensor([[0.0, 0.0, 3.0]] * 2), atol=1e-5, rtol=0.0)
    assert float(orbit.c2w[0, 0, 3]) > 0.4


def test_a_round_gives_views_of_every_move_and_fills_their_holes(tmp_path: Path) -> None:
    painter = Painter()
    made = make_round(source(), config(every=2), "a wall", 2.0, tmp_path, lambda: painter)
    views = made.views
    assert len(painter.sources) == 1
    assert [(prompt, seed) for _, prompt, seed in painter.calls] == [("a wall", 0)] * 2
    # Two moves, every second of four training frames.
    assert len(views) == 4
    assert views.times.tolist() == pytest.approx([0.0, 0.75, 0.0, 0.75])
    assert 0.01 < float(views.repainted.float().mean()) < 0.5
    assert bool((views.frames[views.repainted] == 255).all())
    assert made.inpainted is not None
    assert len(list((tmp_path / "move_left").glob("*.png"))) == 2


def test_views_are_kept_and_only_what_is_missing_is_refined_again(tmp_path: Path) -> None:
    first = make_round(source(), config(), "", 2.0, tmp_path, Painter)
    (tmp_path / "orbit_right" / "00001.png").unlink()
    painter = Painter()
    again = make_round(source(), config(), "", 2.0, tmp_path, lambda: painter)
    assert len(painter.calls) == 1
    for name, value in vars(first.views).items():
        assert torch.equal(value, getattr(again.views, name)), name
    assert first.inpainted is not None
    assert again.inpainted is not None
    for name, value in first.inpainted.tensors().items():
        assert torch.equal(value, again.inpainted.tensors()[name]), name
    loaded = load_round(tmp_path, config())
    assert loaded is not None
    assert torch.equal(loaded.frames, first.views.frames)
    assert load_round(tmp_path, config(moves=("move_left", "tilt_up"))) is None


@pytest.mark.parametrize("change", ["scene", "distance", "prompt", "seed", "frames"])
def test_views_of_something_else_are_not_taken_for_these(change: str, tmp_path: Path) -> None:
    make_round(source(), config(), "", 2.0, tmp_path, Painter)
    other = source()
    if change == "scene":
        moved = other.gaussians.map(lambda layer: layer.with_(means=layer.means + 1e-4))
        other = dataclasses.replace(other, gaussians=moved)
    if change == "frames":
        other = dataclasses.replace(other, frames=255 - other.frames)
    settings = config(**({"distance": 0.11} if change == "distance" else {"seed": 1} if change == "seed" else {}))
    painter = Painter()
    make_round(other, settings, "snow" if change == "prompt" else "", 2.0, tmp_path, lambda: painter)
    assert len(painter.calls) == 2


def test_how_views_count_does_not_make_them_others(tmp_path: Path) -> None:
    make_round(source(), config(), "", 2.0, tmp_path, Painter)
    painter = Painter()
    make_round(source(), config(share=0.1, weight=2.0, further_steps=7), "", 2.0, tmp_path, lambda: painter)
    assert painter.calls == []


class Broken(Painter):
    def refine(self, conditions: Conditions, prompt: str = DEFAULT_PROMPT, seed: int = 0) -> Float[Tensor, "n h w 3"]:
        return conditions.rgb * float("nan") if self.value == 1 else conditions.rgb[:1]


@pytest.mark.parametrize(("value", "said"), [(1.0, "not finite"), (0.0, "instead of")])
def test_what_no_one_can_train_on_is_refused(value: float, said: str, tmp_path: Path) -> None:
    with pytest.raises(RefinementError, match=said):
        make_round(source(), config(), "", 2.0, tmp_path, lambda: Broken(value))
    assert not (tmp_path / "move_left").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="file"):
        make_round(source(), config(), "", 2.0, tmp_path / "file", Painter)


def test_only_what_needed_refinement_counts_in_full() -> None:
    settings = config(weight=0.5, keep_weight=0.1)
    repainted = torch.zeros(8, 10, dtype=torch.bool)
    repainted[:, :3] = True
    weight = pixel_weights(repainted, settings)
    torch.testing.assert_close(weight, torch.where(repainted, 0.5, 0.05))
    drawn = torch.rand(8, 10, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.rand(8, 10, 3, generator=torch.Generator().manual_seed(1))
    losses = refined_view_losses(drawn, target, weight, LossConfig(l1=0.8, dssim=0.2, opacity=0.05))
    assert losses.keys() == {"refined_l1", "refined_dssim"}
    error = (drawn - target).abs().mean(-1)
    expected = 0.8 * (0.5 * error[:, :3].sum() + 0.05 * error[:, 3:].sum()) / 80
    torch.testing.assert_close(losses["refined_l1"], expected)
    structure = (1 - ssim_map(drawn, target)).mean(-1)
    expected = 0.2 * (0.5 * structure[:, :3].sum() + 0.05 * structure[:, 3:].sum()) / 80
    torch.testing.assert_close(losses["refined_dssim"], expected)
    (gradient,) = torch.autograd.grad(losses["refined_l1"], drawn)
    torch.testing.assert_close(gradient[:, :3].abs().mean() / gradient[:, 3:].abs().mean(), torch.tensor(10.0))
    # Where nothing but repainted pixels counts, the others do not pull at all.
    alone = pixel_weights(repainted, config(keep_weight=0.0))
    (gradient,) = torch.autograd.grad(
        refined_view_losses(drawn, target, alone, LossConfig(dssim=0.0))["refined_l1"], drawn
    )
    assert float(gradient[:, 3:].abs().max()) == 0


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"refiner": "magic"}, "magic"),
        ({"moves": ("fly",)}, "fly"),
        ({"moves": ()}, "moves"),
        ({"at_steps": (3, 2)}, "at_steps"),
        ({"at_steps": (0,)}, "at_steps"),
        ({"every": 0}, "every"),
        ({"further_steps": -1}, "further_steps"),
        ({"share": 1.0}, "share"),
        ({"distance": float("nan")}, "distance"),
        ({"mask_threshold": 1.5}, "mask_threshold"),
    ],
)
def test_senseless_settings_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        config(**changes).validate()
    StageConfig().validate()
