"""Run folders that were copied or moved, and camera paths without cameras: what nerfstudio's commands make of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from neoverse_ns.method_configs.shared import trainer_config
from nerfstudio.engine.trainer import TrainerConfig
from nerfstudio.scripts.render import RenderCameraPath
from nerfstudio.utils.eval_utils import eval_setup

from neoverse_ns.errors import SettingsError
from neoverse_ns.plugin.camera_path_check import check_camera_path
from neoverse_ns.plugin.script_calls import camera_path_asked_for, config_being_read


class _Read(Exception):
    """Carries the config out of nerfstudio's loader as soon as it has been read."""

    def __init__(self, config: TrainerConfig) -> None:
        self.config = config


def read(config: Path) -> TrainerConfig:
    """What every ns-* command reads from a config.yml, before the pipeline is built."""

    def stop(config: TrainerConfig) -> TrainerConfig:
        raise _Read(config)

    with pytest.raises(_Read) as caught:
        eval_setup(config, update_config_callback=stop)
    return caught.value.config


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A run folder with everything that decides where the rest is looked for."""
    config = trainer_config("neoverse", steps=2)
    config.data, config.output_dir, config.timestamp = tmp_path / "clip.mp4", tmp_path / "out", "first"
    config.machine.device_type = "cpu"
    config.save_config()
    (config.get_base_dir() / "nerfstudio_models").mkdir()
    assert config.get_base_dir() == tmp_path / "out" / "clip" / "neoverse" / "first"
    return config.get_base_dir()


def lies_in(folder: Path, config: TrainerConfig) -> bool:
    scene_dir = config.pipeline.datamanager.dataparser.scene_dir  # pyright: ignore
    places = (config.get_base_dir(), config.get_checkpoint_dir(), scene_dir)
    return places == (folder, folder / "nerfstudio_models", folder / "scene")


def test_a_run_is_read_where_its_config_lies(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert lies_in(trained, read(trained / "config.yml"))
    # Both there: the copy is read, under whatever name, and though the old one would do.
    copy = tmp_path / "elsewhere" / "any name"
    shutil.copytree(trained, copy)
    assert lies_in(copy, read(copy / "config.yml"))
    assert read(copy / "config.yml").experiment_name == "clip"
    # Moved: nothing is made at the old place by looking.
    trained.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    assert lies_in(tmp_path / "moved", read(Path("moved/config.yml")))
    assert not trained.exists()
    # A link to the config leads to its run.
    (tmp_path / "latest.yml").symlink_to(tmp_path / "moved" / "config.yml")
    assert lies_in(tmp_path / "moved", read(tmp_path / "latest.yml"))


def test_a_config_alone_still_leads_to_the_run_it_was_written_for(trained: Path, tmp_path: Path) -> None:
    alone = tmp_path / "edited.yml"
    shutil.copy(trained / "config.yml", alone)
    assert lies_in(trained, read(alone))
    # Read by anything but nerfstudio's loader there is no place to know of.
    assert lies_in(trained, yaml.load((trained / "config.yml").read_text(), Loader=yaml.Loader))
    assert config_being_read() is None


def test_a_camera_path_without_cameras_is_refused_in_one_line(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "empty.json"
    path.write_text(json.dumps({"seconds": 1, "render_height": 8, "render_width": 8, "camera_path": []}))
    with pytest.raises(SystemExit) as ended:
        RenderCameraPath(load_config=trained / "config.yml", camera_path_filename=path).main()
    assert ended.value.code == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if "Error:" in line]
    assert len(lines) == 1
    assert "empty.json" in lines[0]
    assert "holds no cameras" in lines[0]
    assert camera_path_asked_for() is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("{}", "'camera_path' is missing"), ('{"camera_path": 3}', "must be a list"), ("[", "not valid JSON")],
)
def test_files_that_are_no_camera_path_are_named(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "path.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        check_camera_path(path)
    with pytest.raises(SettingsError, match=r"gone\.json cannot be read"):
        check_camera_path(tmp_path / "gone.json")
    path.write_text(json.dumps({"camera_path": [{"fov": 50}]}))
    check_camera_path(path)
