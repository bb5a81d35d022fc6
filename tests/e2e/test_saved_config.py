"""The config that ns-train leaves, as nerfstudio's own commands read it."""

from __future__ import annotations

import yaml

from tests.e2e.conftest import TrainedRun


def test_config_is_readable_by_nerfstudio_without_the_working_directory(run: TrainedRun) -> None:
    config = yaml.load(run.config.read_text("utf8"), Loader=yaml.Loader)
    assert config.data.is_absolute()
    assert config.output_dir.is_absolute()
    assert config.get_base_dir() == run.folder
    assert config.experiment_name == "clip"
