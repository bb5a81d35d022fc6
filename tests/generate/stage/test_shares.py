"""The bound on what is made up: shared fairly among the moves, and always in the same way."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from neoverse_ns.gaussians.dynamic import SH_C0, DynamicGaussians
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.stage.seeds import HoleFiller
from neoverse_ns.generate.stage.shares import fair_shares, thinned
from neoverse_ns.rasterize.drawing import draw

HEIGHT, WIDTH, DEPTH = 40, 60, 2.0
K = torch.tensor([[50.0, 0.0, WIDTH / 2], [0.0, 50.0, HEIGHT / 2], [0.0, 0.0, 1.0]])
COLOURS = torch.tensor([[255, 0, 0], [0, 255, 0], [0, 0, 255]], dtype=torch.uint8)


def holes() -> list[Tensor]:
    """What three moves open: a wide margin at either side, and little above."""
    masks = torch.zeros(3, HEIGHT, WIDTH, dtype=torch.bool)
    masks[0, :, :15], masks[1, :, 45:], masks[2, :2, 20:40] = True, True, True
    return list(masks)


def seen_but(hole: Tensor) -> Conditions:
    """A flat wall with a hole, twice from where the world starts."""
    alpha = (~hole).float().expand(2, -1, -1).contiguous()
    return Conditions(
        rgb=torch.zeros(2, HEIGHT, WIDTH, 3),
        depth=DEPTH * alpha,
        alpha=alpha,
        mask=alpha > 0.5,
        plucker=torch.zeros(2, 6, HEIGHT, WIDTH),
        K=K.repeat(2, 1, 1),
        c2w=torch.eye(4).repeat(2, 1, 1),
        times=torch.zeros(2),
    )


def filled(most: int, order: tuple[int, ...] = (0, 1, 2)) -> DynamicGaussians | None:
    """What fills the holes of moves that come in this order, each in a colour of its own."""
    filler = HoleFiller(hole_opacity=0.5, most=most)
    for move in order:
        filler.add(COLOURS[move].expand(2, HEIGHT, WIDTH, 3), seen_but(holes()[move]))
    return filler.gaussians()


def counts(gaussians: DynamicGaussians) -> list[int]:
    """How many there are of every move's colour."""
    rgb = 0.5 + SH_C0 * gaussians.sh[:, 0]
    return [int((rgb - colour.float() / 255).abs().amax(dim=-1).lt(0.01).sum()) for colour in COLOURS]


def test_the_first_moves_do_not_eat_what_the_last_ones_need() -> None:
    everything = filled(100_000)
    assert everything is not None
    assert counts(everything) == [int(hole.sum()) for hole in holes()] == [600, 600, 40]
    for order in ((0, 1, 2), (2, 1, 0), (1, 2, 0)):
        few = filled(400, order)
        assert few is not None
        # The last wants no more than its share; the others share what it leaves.
        assert counts(few) == [180, 180, 40]
        again = filled(400, order)
        assert again is not None
        for name, value in few.tensors().items():
            assert torch.equal(value, again.tensors()[name]), name
    assert filled(0) is None


def test_where_the_bound_is_not_reached_nothing_changes() -> None:
    everything, just = filled(100_000), filled(1240)
    assert everything is not None
    assert just is not None
    for name, value in everything.tensors().items():
        assert torch.equal(value, just.tensors()[name]), name


def test_fewer_gaussians_still_fill_the_holes() -> None:
    def opacity(gaussians: DynamicGaussians | None) -> Tensor:
        assert gaussians is not None
        return draw(gaussians, 0.0, torch.eye(4)[None], K[None], WIDTH, HEIGHT).alpha[0, ..., 0]

    for most, least in ((600, 0.85), (200, 0.8), (80, 0.7)):
        full, few = opacity(filled(100_000)), opacity(filled(most))
        for hole in holes()[:2]:
            assert float(few[hole].mean()) > least * float(full[hole].mean())
            # No row or column of the hole is left out.
            rows, columns = hole.any(dim=1), hole.any(dim=0)
            held = few[rows][:, columns]
            assert float(held.mean(dim=0).min()) > 0.3
            assert float(held.mean(dim=1).min()) > 0.2


def test_what_is_kept_is_chosen_from_all_and_widened() -> None:
    everything = filled(100_000)
    assert everything is not None
    kept = thinned(everything, 310)
    assert len(kept) == 310
    places = {tuple(place): row for row, place in enumerate(everything.means.tolist())}
    rows = torch.tensor([places[tuple(place)] for place in kept.means.tolist()])
    assert bool((rows.diff() > 0).all())
    # A quarter of them, each four times as large.
    torch.testing.assert_close(kept.log_scales.exp().square(), 4 * everything.log_scales[rows].exp().square())
    assert torch.equal(kept.sh, everything.sh[rows])
    assert thinned(everything, 1240) is everything
    assert len(thinned(everything, 0)) == 0


@given(st.lists(st.integers(0, 50), max_size=8), st.integers(0, 200))
def test_shares_are_fair(wanted: list[int], most: int) -> None:
    shares = fair_shares(wanted, most)
    assert sum(shares) == min(most, sum(wanted))
    assert all(0 <= share <= want for share, want in zip(shares, wanted, strict=True))
    # Who is cut has as much as anybody, but for one; and the earlier does not have less than the later.
    cut = [i for i in range(len(wanted)) if shares[i] < wanted[i]]
    assert all(shares[i] >= max(shares) - 1 for i in cut)
    assert all(shares[i] >= shares[j] for i in cut for j in cut if i < j and wanted[i] == wanted[j])
