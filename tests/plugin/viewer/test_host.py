"""The viewer listens on this machine alone, unless somebody asks for more."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
from nerfstudio.configs.base_config import ViewerConfig

from neoverse_ns.plugin import script_calls
from neoverse_ns.plugin.trainer import NeoVerseTrainerConfig
from neoverse_ns.plugin.viewer.host import THIS_MACHINE


def set_as_ns_viewer_does(monkeypatch: pytest.MonkeyPatch, viewer: ViewerConfig, *arguments: str) -> str:
    """The host in force after `ns-viewer` has put its own viewer's settings into a run's config."""
    monkeypatch.setattr(sys, "argv", ["ns-viewer", "--load-config", "config.yml", *arguments])
    module = ModuleType(script_calls._SHOWING)
    exec("def main(config, viewer):\n    config.viewer = viewer", module.__dict__)
    config = NeoVerseTrainerConfig(method_name="neoverse")
    module.main(config, viewer)
    return config.viewer.websocket_host


def test_that_module_is_the_one_that_ns_viewer_runs() -> None:
    assert Path(str(importlib.import_module(script_calls._SHOWING).__file__)).name == "run_viewer.py"


def test_ns_viewer_is_kept_to_this_machine_until_a_host_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = ViewerConfig().websocket_host
    assert everywhere != THIS_MACHINE
    assert set_as_ns_viewer_does(monkeypatch, ViewerConfig()) == THIS_MACHINE
    assert set_as_ns_viewer_does(monkeypatch, ViewerConfig(websocket_host="10.0.0.2")) == "10.0.0.2"
    for flag in (("--viewer.websocket-host", everywhere), (f"--viewer.websocket_host={everywhere}",)):
        assert set_as_ns_viewer_does(monkeypatch, ViewerConfig(), *flag) == everywhere


def test_configs_set_elsewhere_stay_as_they_are() -> None:
    config = NeoVerseTrainerConfig(method_name="neoverse")
    config.viewer = ViewerConfig(websocket_port=7100)
    assert config.viewer.websocket_host == ViewerConfig().websocket_host


@pytest.mark.parametrize("name", ["neoverse", "neoverse_quick", "neoverse_hq", "neoverse_feedforward"])
def test_methods_listen_on_this_machine(name: str) -> None:
    method = getattr(importlib.import_module(f"neoverse_ns.method_configs.{name}"), name)
    assert method.config.viewer.websocket_host == THIS_MACHINE
