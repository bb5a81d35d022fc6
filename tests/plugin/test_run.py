"""Finished runs, opened by what users give."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.errors import RunError
from neoverse_ns.plugin.run import config_of, open_run


def test_a_run_is_named_by_its_folder_or_its_config(tmp_path: Path) -> None:
    assert config_of(tmp_path) == tmp_path / "config.yml"
    assert config_of(tmp_path / "config.yml") == tmp_path / "config.yml"


@pytest.mark.parametrize("given", ["nothing", "nothing/config.yml", "."])
def test_no_run_is_said_in_one_line(tmp_path: Path, given: str) -> None:
    with pytest.raises(RunError, match=r"no such run: .*config.yml that ns-train wrote"):
        open_run(tmp_path / given)


@pytest.mark.parametrize(
    "content",
    [bytes(range(128, 256)), b"", b"a: 1\n", b'{"training": 1}'],
    ids=["video", "empty", "other yaml", "json"],
)
def test_other_files_are_told_from_runs(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(content)
    with pytest.raises(RunError, match=r"is not the config.yml of a run; .* ns-train neoverse --data clip.mp4"):
        open_run(file)


def test_a_broken_config_is_said_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("!!python/object:nerfstudio.engine.trainer.TrainerConfig\n  - a: [\n")
    with pytest.raises(RunError, match=r"cannot be read as a run's config.yml") as found:
        open_run(tmp_path)
    assert "\n" not in str(found.value)


def test_an_object_of_another_kind_is_told_from_runs(tmp_path: Path) -> None:
    (tmp_path / "config.yml").write_text("!!python/object:argparse.Namespace {}\n")
    with pytest.raises(RunError, match=r"is not the config.yml of a run: it holds a Namespace"):
        open_run(tmp_path)
