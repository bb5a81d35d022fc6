"""What `neoverse_ns` itself hands out: light to import, and callable whatever was imported before."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from typing import Any

import pytest

import neoverse_ns
from neoverse_ns import api

NAMES = ("export", "load", "optimise", "reconstruct", "refine", "render", "trajectory")


def loaded_by(script: str) -> set[str]:
    """Modules that a fresh process has after running `script`."""
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\nimport sys\nprint('LOADED', *sys.modules)"],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
        env=dict(os.environ),
    )
    return set(next(line for line in done.stdout.splitlines() if line.startswith("LOADED")).split()[1:])


def test_importing_the_package_imports_nothing_heavy() -> None:
    loaded = loaded_by("import neoverse_ns")
    assert "neoverse_ns" in loaded
    assert not {"torch", "numpy", "nerfstudio", "neoverse_ns.api"} & loaded


def test_all_but_loading_runs_comes_without_nerfstudio() -> None:
    script = (
        f"from neoverse_ns import {', '.join(NAMES)}\n"
        "import neoverse_ns.api, neoverse_ns.reconstruct.cache, neoverse_ns.optimise.loop, neoverse_ns.render.film\n"
        # The names of packages stay callable when these have been imported.
        "import neoverse_ns as package\n"
        f"assert all(callable(getattr(package, name)) for name in {NAMES})\n"
        "from neoverse_ns import trajectory as again\n"
        "assert again is trajectory and callable(again)\n"
    )
    loaded = loaded_by(script)
    assert "neoverse_ns.optimise.loop" in loaded
    assert not [name for name in loaded if name.partition(".")[0] == "nerfstudio" or name == "neoverse_ns.plugin"]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_function_of_the_library(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    function = getattr(api, name)
    assert inspect.signature(getattr(neoverse_ns, name)) == inspect.signature(function)
    assert function.__doc__
    given: list[Any] = []
    monkeypatch.setattr(api, name, lambda *args, **kwargs: given.append((args, kwargs)) or "done")
    assert getattr(neoverse_ns, name)(1, b=2) == "done"
    assert given == [((1,), {"b": 2})]


def test_packages_remain_packages() -> None:
    import neoverse_ns.reconstruct.cache as module
    from neoverse_ns.trajectory import presets

    assert neoverse_ns.reconstruct.cache is module  # pyright: ignore
    assert presets.MOVES


def test_what_there_is_not_is_told_as_usual() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'renders'"):
        neoverse_ns.renders  # pyright: ignore  # noqa: B018
    assert set(NAMES) <= set(dir(neoverse_ns))
    assert set(neoverse_ns.__all__) == {*NAMES, "__version__"}
