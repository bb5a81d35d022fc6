"""Which Gaussians go first."""

from __future__ import annotations

import torch

from neoverse_ns.export.thinning import most_worth, worth


def test_what_covers_more_of_the_picture_is_worth_more() -> None:
    scales = torch.tensor([[1.0, 2.0, 0.1], [2.0, 4.0, 0.1], [1.0, 2.0, 0.1], [1.0, 2.0, 0.1]])
    value = worth(torch.tensor([0.5, 0.5, 0.5, 0.25]), scales, torch.tensor([1.0, 2.0, 2.0, 1.0]))
    torch.testing.assert_close(value, torch.tensor([1.0, 1.0, 0.25, 0.5]))


def test_the_most_worth_stay_in_their_order_and_of_equals_the_first() -> None:
    values = torch.tensor([1.0, 3.0, 2.0, 3.0, 2.0])
    assert most_worth(values, 3).tolist() == [1, 2, 3]
    assert most_worth(values, 1).tolist() == [1]
    assert most_worth(values, 9).tolist() == [0, 1, 2, 3, 4]
