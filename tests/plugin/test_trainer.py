"""What a trainer's config refuses before anything is read or written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from neoverse_ns.method_configs.shared import trainer_config

from neoverse_ns.errors import SettingsError
from neoverse_ns.plugin.settings_check import check_settings
from neoverse_ns.plugin.trainer import NeoVerseTrainerConfig


@pytest.fixture
def config(tmp_path: Path) -> NeoVerseTrainerConfig:
    """Of a run into `tmp_path`, whose clip does not exist."""
    config = trainer_config("neoverse", steps=2)
    config.data, config.output_dir = tmp_path / "no_such_clip.mp4", tmp_path / "out"
    config.machine.device_type = "cpu"
    config.set_timestamp()
    return config


@pytest.mark.parametrize("name", ["num_devices", "num_machines"])
@pytest.mark.parametrize("count", [0, 2, 8])
def test_more_than_one_device_is_refused_in_one_line_before_anything_is_written(
    name: str, count: int, config: NeoVerseTrainerConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    check_settings(config)
    setattr(config.machine, name, count)
    said = f"--machine.{name.replace('_', '-')} is {count}"
    with pytest.raises(SettingsError, match=re.escape(said)) as raised:
        check_settings(config)
    assert "\n" not in str(raised.value)
    # Nerfstudio saves the config before it starts a process per device.
    with pytest.raises(SystemExit) as ended:
        config.save_config()
    assert ended.value.code == 1
    assert capsys.readouterr().out.count(said) == 1
    assert list(tmp_path.iterdir()) == []
