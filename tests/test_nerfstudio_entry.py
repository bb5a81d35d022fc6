"""What would be proposed to nerfstudio: an entry that it takes, which names the methods that this package registers."""

from __future__ import annotations

import runpy
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from nerfstudio.configs import external_methods
from nerfstudio.configs.external_methods import ExternalMethod
from nerfstudio.plugins.types import MethodSpecification

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs" / "nerfstudio"


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> ExternalMethod:
    """The entry, as nerfstudio's own list gets it."""
    monkeypatch.setattr(external_methods, "external_methods", [])
    runpy.run_path(str(DOCS / "external_method.py"))
    (added,) = external_methods.external_methods
    assert isinstance(added, ExternalMethod)
    return added


def registered() -> dict[str, MethodSpecification]:
    """Our methods by name, as nerfstudio finds them."""
    points = entry_points(group="nerfstudio.method_configs")
    found = [point.load() for point in points if point.value.startswith("neoverse_ns.")]
    return {specification.config.method_name: specification for specification in found}


def test_the_entry_names_our_methods_as_they_describe_themselves(entry: ExternalMethod) -> None:
    methods = registered()
    assert "neoverse" in methods
    assert dict(entry.configurations) == {name: method.description for name, method in methods.items()}
    assert len(entry.configurations) == len(methods)


def test_nerfstudio_lists_the_methods_with_how_to_install_them(entry: ExternalMethod) -> None:
    configs, descriptions = external_methods.get_external_methods()
    assert set(configs) == set(descriptions) == set(registered())
    assert all(config.method is entry for config in configs.values())
    assert descriptions["neoverse"].startswith("[External, run 'ns-train neoverse' to install]")


def test_entry_and_page_name_the_package_that_pip_installs(entry: ExternalMethod) -> None:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    name = tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["name"]
    assert entry.pip_package == name
    assert f"pip install {name}[/grey]" in entry.instructions
    assert f"pip install {name}\n" in (DOCS / "neoverse.md").read_text("utf8")


def test_the_page_has_the_parts_that_nerfstudio_asks_for() -> None:
    page = (DOCS / "neoverse.md").read_text("utf8")
    headings = [line.lstrip("# ") for line in page.splitlines() if line.startswith("#")]
    assert headings[0] == "NeoVerse"
    assert {"Installation", "Running NeoVerse", "Requirements", "Method"} <= set(headings)
    table = {line.split("`")[1] for line in page.splitlines() if line.startswith("| `")}
    assert table == set(registered())
