"""Which instant is meant."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.export.moment import Moment

TIMES = torch.tensor([0.0, 0.3, 1.0])


def test_time_or_frame_or_the_middle() -> None:
    assert Moment().among(TIMES) == 0.5
    assert Moment(time=0.2).among(TIMES) == 0.2
    assert Moment(frame=1).among(TIMES) == pytest.approx(0.3)
    assert Moment(frame=0).among(TIMES) == 0.0


@pytest.mark.parametrize(
    ("moment", "named"),
    [
        (Moment(time=1.01), "1.01"),
        (Moment(time=float("nan")), "nan"),
        (Moment(frame=3), "between 0 and 2"),
        (Moment(frame=-1), "-1"),
        (Moment(time=0.5, frame=1), "both"),
    ],
)
def test_what_is_no_instant_is_refused(moment: Moment, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        moment.among(TIMES)
