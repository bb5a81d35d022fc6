"""The page as a file: nothing from outside, nothing that breaks it, and no more than asked for."""

from __future__ import annotations

import base64
import gzip
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import torch

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.page import page
from neoverse_ns.export.page.page import write_page
from neoverse_ns.export.registry import export_format
from neoverse_ns.rasterize.drawing import DrawOptions
from tests.export.layered_scene import FOCAL, FRAME_COUNT, HEIGHT, WIDTH, layered_scene
from tests.export.page.moving_scene import moving_scene


class Elements(HTMLParser):
    """Texts of elements by id, and all attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.attributes: list[tuple[str, str, str | None]] = []
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.attributes += [(tag, name, value) for name, value in attrs]
        self._open.append(dict(attrs).get("id") or tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "a.html"
    write_page(path, moving_scene(), 'A </script> & "clip" {{data}}')
    return path.read_text("utf8")


def test_a_title_cannot_break_the_page(text: str) -> None:
    elements = Elements(text)
    assert elements.texts["h1"] == elements.texts["title"] == 'A </script> & "clip" {{data}}'
    assert json.loads(elements.texts["header"])["title"] == 'A </script> & "clip" {{data}}'


def test_nothing_comes_from_outside(text: str) -> None:
    elements = Elements(text)
    assert not [a for a in elements.attributes if a[1] in ("src", "srcset", "data", "action", "poster")]
    assert [value for _, name, value in elements.attributes if name == "href"] == ["data:,"]
    without_data = text.replace(elements.texts["data"], "")
    assert not re.search(r"https?:|url\(|@import|import\s*\(|fetch\(|XMLHttpRequest|//[a-z]+\.", without_data)


def test_the_header_tells_cameras_times_and_how_to_draw(text: str) -> None:
    elements, scene = Elements(text), moving_scene()
    header = json.loads(elements.texts["header"])
    assert (header["width"], header["height"], len(header["frames"])) == (WIDTH, HEIGHT, FRAME_COUNT)
    frame = header["frames"][3]
    assert frame["lens"] == pytest.approx([FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2])
    assert (frame["time"], frame["second"]) == pytest.approx((0.75, 0.375))
    assert frame["centre"] == pytest.approx([0.03, 0, 0])
    assert frame["rotation"] == pytest.approx([1, 0, 0, 0])
    assert (header["gamma"], header["nearest"], header["antialiased"]) == (10.0, False, False)
    # What the clip sees lies between the square and the wall.
    assert 1.3 < header["distance"] < 2.2
    raw = gzip.decompress(base64.b64decode(elements.texts["data"]))
    assert len(raw) == sum(column["count"] * column["bytes"] for column in header["columns"])
    assert sum(block["count"] for block in header["blocks"]) == scene.gaussians.count


def test_options_of_drawing_reach_the_page(tmp_path: Path) -> None:
    options = DrawOptions(nearest_only=True, gamma=4.0, rasterize_mode="antialiased")
    write_page(tmp_path / "a.html", replace(layered_scene(), options=options), "x")
    header = json.loads(Elements((tmp_path / "a.html").read_text("utf8")).texts["header"])
    assert (header["gamma"], header["nearest"], header["antialiased"]) == (4.0, True, True)


def test_the_format_keeps_at_most_what_is_asked_for_and_repeats_itself(tmp_path: Path) -> None:
    scene, html = layered_scene(), export_format("html")
    options = ExportOptions(max_gaussians=5000)
    html.check(options)
    assert html.write(scene, options, tmp_path) == [tmp_path / "scene.html"]
    first = (tmp_path / "scene.html").read_bytes()
    header = json.loads(Elements(first.decode()).texts["header"])
    assert sum(block["count"] for block in header["blocks"]) == 5000
    html.write(scene, options, tmp_path)
    assert (tmp_path / "scene.html").read_bytes() == first


def test_a_large_page_says_how_to_make_it_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page, "LARGE", 100_000)
    write_page(tmp_path / "a.html", layered_scene(), "x")
    size = (tmp_path / "a.html").stat().st_size
    assert size > 100_000
    told = capsys.readouterr().out
    count = int(re.search(r"--max-gaussians (\d+)", told).group(1))  # pyright: ignore
    assert count == pytest.approx(0.95 * layered_scene().gaussians.count * 100_000 / size, rel=1e-3)


def test_every_file_of_the_page_is_used_and_installed() -> None:
    folder = Path(page.__file__).parent / "static"
    template = page.static("page.html")
    names = {file.name for file in folder.iterdir()}
    assert names == {"page.html", "style.css", "sorter.js", "vertex.glsl", "fragment.glsl", *page.SCRIPTS}
    assert set(re.findall(r"\{\{(\w+)\}\}", template)) == {
        "title", "style", "header", "sorter", "vertex", "fragment", "data", "script",
    }  # fmt: skip
    project = (Path(page.__file__).parents[3] / "pyproject.toml").read_text("utf8")
    assert '"export/page/static/*"' in project


def test_a_single_picture_is_a_page_too(tmp_path: Path) -> None:
    scene = layered_scene()
    one = replace(scene, cameras=scene.cameras[[0]], times=torch.zeros(1), seconds=torch.zeros(1, dtype=torch.float64))
    write_page(tmp_path / "a.html", one, "x")
    assert len(json.loads(Elements((tmp_path / "a.html").read_text("utf8")).texts["header"])["frames"]) == 1
