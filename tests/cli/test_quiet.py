"""Which warnings commands leave out."""

from __future__ import annotations

import sys
import warnings

import pytest

from neoverse_ns.cli.quiet import silence_imports

SCRIPT = "`torch.jit.script` is deprecated. Please switch to `torch.compile` or `torch.export`."
FORWARD = "`torch.cuda.amp.custom_fwd(args...)` is deprecated. Please use `torch.amp.custom_fwd(args..., ...)` instead."


def shown(*given: tuple[str, type[Warning]]) -> list[str]:
    """Messages that are left of these where commands run."""
    with warnings.catch_warnings(record=True) as left:
        warnings.resetwarnings()
        warnings.simplefilter("default")
        silence_imports()
        for message, category in given:
            warnings.warn(message, category, stacklevel=1)
    return [str(warning.message) for warning in left]


def test_exactly_those_of_imports_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", [])
    others = [
        ("`torch.load` is deprecated", FutureWarning),
        ("something else; `torch.jit.script` is deprecated", FutureWarning),
        (SCRIPT, UserWarning),
    ]
    backward = FORWARD.replace("fwd", "bwd")
    silenced = [(SCRIPT, FutureWarning), (SCRIPT, DeprecationWarning), (FORWARD, FutureWarning)]
    assert shown(*silenced, (backward, FutureWarning), *others) == [message for message, _ in others]


def test_who_asks_for_warnings_gets_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "warnoptions", ["default"])
    assert shown((SCRIPT, FutureWarning)) == [SCRIPT]
