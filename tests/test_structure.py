"""What holds for the package as a whole: who may import whom, how large files are, what is installed."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from statistics import median
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "neoverse_ns"
FILES = sorted(PACKAGE.rglob("*.py"))


def module_of(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(file): file for file in FILES}


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """What runs when a module is imported: all but the insides of functions and what only type checkers read."""
    for statement in body:
        yield statement
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.dump(statement.test):
            yield from statements(statement.orelse)
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from statements(getattr(statement, name, []))
        for handler in getattr(statement, "handlers", []):
            yield from statements(handler.body)


def names(node: ast.AST) -> list[str]:
    """Dotted names that an import statement asks for; `from a import b` asks for a.b."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def known(name: str) -> str | None:
    """The module of this package that a dotted name is, or lies in."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name or None


def imports_at_start(file: Path) -> set[str]:
    """Modules of this package that are loaded before a module's own last line has run."""
    found = {known(name) for node in statements(ast.parse(file.read_text("utf8")).body) for name in names(node)}
    return {name for name in found if name is not None} - {module_of(file)}


def imports_ever(file: Path) -> set[str]:
    """Dotted names that a file imports anywhere, `importlib.import_module` with a plain string included."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text("utf8"))):
        found.update(names(node))
        if isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            found.update(a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
    return found


def test_the_reading_of_imports_finds_what_it_shall(tmp_path: Path) -> None:
    file = tmp_path / "module.py"
    file.write_text(
        "import importlib\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from neoverse_ns.errors import RunError\n"
        "try:\n    from neoverse_ns import console\nexcept ImportError:\n    import neoverse_ns.geometry.se3\n"
        "class A:\n    from neoverse_ns.rasterize import rasterize\n"
        "def f():\n    from nerfstudio.cameras import cameras\n    importlib.import_module('nerfstudio.models')\n"
    )
    tree = ast.parse(file.read_text())
    started = {known(name) for node in statements(tree.body) for name in names(node)} - {None}
    assert started == {"neoverse_ns.console", "neoverse_ns.geometry.se3", "neoverse_ns.rasterize"}
    assert {"nerfstudio.cameras.cameras", "nerfstudio.models", "neoverse_ns.errors.RunError"} <= imports_ever(file)


def test_only_plugin_and_cli_import_nerfstudio() -> None:
    guilty = {
        module_of(file)
        for file in FILES
        if file.relative_to(PACKAGE).parts[0] not in ("plugin", "cli")
        and any(name.partition(".")[0] == "nerfstudio" for name in imports_ever(file))
    }
    assert not guilty
    # The search finds those that do.
    assert any(name.startswith("nerfstudio.") for name in imports_ever(PACKAGE / "plugin" / "model.py"))


def test_only_plugin_and_cli_know_the_plugin() -> None:
    def knows(names: set[str]) -> bool:
        return any(name.split(".")[:2] in (["neoverse_ns", "plugin"], ["neoverse_ns", "cli"]) for name in names)

    outside = [file for file in FILES if file.relative_to(PACKAGE).parts[0] not in ("plugin", "cli")]
    # The library's door to finished runs, which needs the plugin when it is opened, and not before.
    door = PACKAGE / "api" / "runs.py"
    assert {file for file in outside if knows(imports_ever(file))} == {door}
    assert not knows(imports_at_start(door))


def test_no_module_needs_itself() -> None:
    graph = {module: imports_at_start(file) for module, file in MODULES.items()}
    assert sum(map(len, graph.values())) > len(graph)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_files_are_short() -> None:
    lengths = {module_of(file): len(file.read_text("utf8").splitlines()) for file in FILES}
    assert {name: length for name, length in lengths.items() if length > 300} == {}
    assert median(lengths.values()) < 90


def test_package_list_equals_the_folders() -> None:
    setuptools = project()["tool"]["setuptools"]
    folders = {file.parent for file in FILES}
    assert all((folder / "__init__.py").is_file() for folder in folders)
    found = {".".join(folder.relative_to(ROOT).parts) for folder in folders} | {"neoverse_ns.method_configs"}
    assert set(setuptools["packages"]) == found
    for mapped in setuptools["package-dir"].values():
        assert (ROOT / mapped / "__init__.py").is_file()
    kernels = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.cpp")}
    patterns = setuptools["package-data"]["neoverse_ns"]
    assert all(any(Path(kernel).match(pattern) for pattern in patterns) for kernel in kernels)


def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))


@pytest.mark.parametrize(
    ("module", "without"),
    [
        ("neoverse_ns.networks.neoverse.model", "neoverse_ns.reconstruct"),
        ("neoverse_ns.optimise.loop", "nerfstudio"),
        ("neoverse_ns.rasterize.layers", "neoverse_ns.reconstruct"),
        ("neoverse_ns.gaussians.layers", "neoverse_ns.rasterize"),
    ],
)
def test_a_part_comes_without_what_it_does_not_need(module: str, without: str) -> None:
    script = f"import {module}, sys\nprint('LOADED', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True, env=dict(os.environ)
    )
    loaded = next(line for line in done.stdout.splitlines() if line.startswith("LOADED")).split()[1:]
    assert module in loaded
    assert not [name for name in loaded if name == without or name.startswith(f"{without}.")]
