"""Formats by name: what they take, and what is said before anything is loaded or drawn."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import NeoVerseError, PackageError, RunError, SettingsError
from neoverse_ns.export.needs import Need
from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import FORMATS, INSTANT, ExportFormat, export_format
from neoverse_ns.gaussians.layers import LayeredGaussians
from tests.export.layered_scene import moving_scene

TIMES = torch.linspace(0, 1, 5)
SECONDS = torch.tensor([2.0, 2.5, 3.0, 3.5, 4.0], dtype=torch.float64)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_has_words_for_users_and_known_options(name: str) -> None:
    chosen = export_format(name)
    assert ": " in chosen.meaning
    assert set(chosen.takes) <= set(vars(ExportOptions()))


def test_an_option_that_changes_nothing_is_refused_by_name() -> None:
    export_format("ply").check(ExportOptions(time=0.2, max_gaussians=10))
    with pytest.raises(SettingsError, match=r"'ply' has no use for --fps; it takes --time, --frame, --max-gaussians"):
        export_format("ply").check(ExportOptions(fps=24.0))
    with pytest.raises(SettingsError, match="'colmap' has no use for --time"):
        export_format("colmap").check(ExportOptions(time=0.5))


def test_a_missing_package_is_told_before_anything_is_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(*_: object) -> list[Path]:
        raise AssertionError("nothing is written without the package")

    needy = ExportFormat("x: y", write, INSTANT, (Need("no_such_package_here", "'neoverse-ns[exports]'"),))
    monkeypatch.setitem(FORMATS, "needy", needy)
    with pytest.raises(PackageError, match=r"'needy'.*no_such_package_here.*neoverse-ns\[exports\]") as raised:
        export_format("needy").check(ExportOptions())
    assert isinstance(raised.value, NeoVerseError)


def test_a_scene_of_nothing_is_written_empty_or_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scene = moving_scene()
    layers = {name: layer[torch.zeros(len(layer), dtype=torch.bool)] for name, layer in scene.gaussians.items()}
    nothing = replace(scene, gaussians=LayeredGaussians(layers))
    (path,) = export_format("ply").write(nothing, ExportOptions(), tmp_path)
    assert path.is_file()
    said = capsys.readouterr()
    assert "nothing is visible at time 0.5" in " ".join((said.out + said.err).split())
    with pytest.raises(RunError, match=r"no Gaussian is visible at time 0\.5"):
        export_format("glb").write(nothing, ExportOptions(), tmp_path)
    if find_spec("pxr") is not None:
        assert export_format("usd").write(nothing, ExportOptions(), tmp_path)


def test_instants_are_the_frames_or_at_a_rate_between_them() -> None:
    assert ExportOptions().instants(TIMES, SECONDS) == [0.0, 0.25, 0.5, 0.75, 1.0]
    assert ExportOptions(every=2).instants(TIMES, SECONDS) == [0.0, 0.5, 1.0]
    assert ExportOptions(every=3).instants(TIMES, SECONDS) == [0.0, 0.75]
    at_rate = ExportOptions(fps=4.0).instants(TIMES, SECONDS)
    assert at_rate == pytest.approx([k / 8 for k in range(9)])
    # Frames that are not evenly spread keep their seconds.
    uneven = torch.tensor([0.0, 0.5, 1.0, 3.0, 4.0], dtype=torch.float64)
    assert ExportOptions(fps=1.0).instants(TIMES, uneven) == pytest.approx([0.0, 0.5, 0.625, 0.75, 1.0])
    assert ExportOptions(fps=30.0).instants(TIMES[:1], SECONDS[:1]) == [0.0]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (ExportOptions(fps=0.0), "fps"),
        (ExportOptions(fps=float("inf")), "fps"),
        (ExportOptions(fps=24.0, every=2), "both"),
        (ExportOptions(every=0), "every"),
        (ExportOptions(max_gaussians=0), "max-gaussians"),
        (ExportOptions(fps=1e9), "instants a second"),
        (ExportOptions(time=2.0), "time"),
    ],
)
def test_what_cannot_be_is_refused(options: ExportOptions, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        options.instants(TIMES, SECONDS)
