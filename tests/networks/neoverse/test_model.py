"""What holds for the network whatever its weights are."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.predictions import NetworkPredictions
from tests.networks.neoverse.fixtures import frames, lively


def run(*arguments, **options) -> NetworkPredictions:  # type: ignore[no-untyped-def]
    with torch.no_grad():
        return lively()(*arguments, **options)


def same(a: NetworkPredictions, b: dict[str, torch.Tensor], tolerance: float = 2e-5) -> None:
    assert set(a.tensors()) == set(b)
    for name, value in a.tensors().items():
        assert (value - b[name]).abs().max() <= tolerance * b[name].abs().max(), name


def test_a_batch_is_its_clips_one_by_one() -> None:
    images = frames(3, batch=2)
    both = run(images)
    for clip in range(2):
        alone = run(images[clip : clip + 1])
        same(alone, {name: value[clip : clip + 1] for name, value in both.tensors().items()})


def test_chunks_of_frames_change_nothing() -> None:
    images = frames(5, batch=2)
    whole = run(images, head_chunk=8)
    for chunk in (1, 2, 5):
        same(run(images, head_chunk=chunk), whole.tensors())


def test_order_of_later_frames_only_orders_the_results() -> None:
    """Only the first frame is special; motion, which pairs neighbours, is another thing."""
    images, order = frames(4), [0, 3, 1, 2]
    plain, shuffled = run(images, use_motion=False), run(images[:, order], use_motion=False)
    same(shuffled, {name: value[:, order] for name, value in plain.tensors().items()})
    first_moved = run(images[:, [1, 0, 2, 3]], use_motion=False)
    assert (first_moved.camera_params[:, 2] - plain.camera_params[:, 2]).abs().max() > 1e-5


def test_reversed_clips_do_not_swap_the_branches_weights() -> None:
    """Forward and backward heads have their own weights, so that a reversed clip is not a reversed prediction."""
    images = frames(3)
    there, back = run(images), run(images.flip(1))
    assert there.velocity_fwd is not None
    assert back.velocity_bwd is not None
    assert (there.velocity_fwd - back.velocity_bwd.flip(1)).abs().max() > 1e-3


def test_one_frame_has_no_motion() -> None:
    predictions = run(frames(1))
    absent = {name for name in predictions.tensors() if "fwd" in name or "bwd" in name}
    assert absent == set()
    assert predictions.gs_params is not None
    assert predictions.gs_params.shape == (1, 1, 28, 42, 12)


def test_without_motion_all_else_stays() -> None:
    images = frames(3)
    full, still = run(images), run(images, use_motion=False)
    same(still, {name: value for name, value in full.tensors().items() if "fwd" not in name and "bwd" not in name})


def test_static_clips_use_their_own_parameters() -> None:
    images = frames(2)
    dynamic, static = run(images), run(images, is_static=True)
    changed = {n for n, v in static.tensors().items() if not torch.equal(v, dynamic.tensors()[n])}
    assert changed == {"gs_params"}


def test_only_heads_asked_for_run() -> None:
    images = frames(3)
    full = run(images)
    assert set(run(images, heads=()).tensors()) == {"camera_params", "c2w", "K"}
    some = run(images, heads=("depth", "gaussians"))
    expected = {"depth", "depth_conf", "gs_depth", "gs_depth_conf", "gs_params", "gs_fwd_attr", "gs_bwd_attr"}
    same(some, {n: v for n, v in full.tensors().items() if n in expected | {"camera_params", "c2w", "K"}})


def test_ranges_of_the_outputs() -> None:
    values = run(frames(3)).tensors()
    for name in ("depth", "gs_depth"):
        assert values[name].min() > 0
    for name in (n for n in values if n.endswith("conf")):
        assert values[name].min() > 1, name
    for name in ("gs_fwd_attr", "gs_bwd_attr"):
        # The largest rotation vector, all three at their bound, is half a turn.
        assert values[name].norm(dim=-1).max() < torch.pi
    assert (values["camera_params"][..., 7:] >= 0).all()


def test_repeats_itself_bit_by_bit() -> None:
    images = frames(3)
    first, second = run(images), run(images)
    assert all(torch.equal(value, second.tensors()[name]) for name, value in first.tensors().items())


def test_mixed_precision_stays_close() -> None:
    images = frames(3)
    exact, mixed = run(images, mixed_precision=False), run(images, mixed_precision=True)
    errors = {}
    for name, value in mixed.tensors().items():
        assert value.dtype == torch.float32, name
        expected = exact.tensors()[name]
        errors[name] = float((value - expected).norm() / expected.norm())
    assert max(errors.values()) < 0.1, errors
    assert errors["depth"] > 0  # it did run in another precision


def test_gradients_reach_every_part() -> None:
    network, images = lively(), frames(2)
    predictions = network(images)
    total = sum(value.square().mean() for value in predictions.tensors().values())
    assert isinstance(total, torch.Tensor)
    total.backward()
    silent = {name for name, p in network.named_parameters() if p.grad is None or not bool(p.grad.any())}
    # Without priors and as a dynamic clip, those parts have nothing to do.
    expected = ("visual_geometry_transformer.pose_embed", "visual_geometry_transformer.ray_embed")
    expected += ("visual_geometry_transformer.depth_embed", "gs_renderer.gs_head.")
    assert all(name.startswith(expected) for name in silent), silent


@pytest.mark.parametrize("size", [(30, 42), (28, 40), (7, 42)])
def test_sizes_that_cannot_be_cut_into_patches_are_told(size: tuple[int, int]) -> None:
    with pytest.raises(SettingsError, match="multiples of 14"):
        run(frames(1, *size))
