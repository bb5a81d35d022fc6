"""What is not there is named, with what to do about it; nothing is fetched without leave."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.cache import scene_key
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.reconstructor import DepthAnythingReconstructor
from neoverse_ns.reconstruct.depth_anything.weights import choose_device, find_weights, load_network
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.registry import get_reconstructor


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in [n for n in sys.modules if n.split(".")[0] == "depth_anything_3"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "depth_anything_3", None)
    return monkeypatch


def test_without_the_package(no_package: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"pip install 'neoverse-ns\[da3\]', then .* --no-deps depth-anything-3"):
        load_network(DepthAnythingConfig())


def test_without_something_the_package_needs(no_package: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "depth_anything_3").mkdir()
    (tmp_path / "depth_anything_3" / "api.py").write_text("import a_library_that_nobody_has\n")
    no_package.delitem(sys.modules, "depth_anything_3")
    no_package.syspath_prepend(str(tmp_path))
    with pytest.raises(SettingsError, match="pip install a_library_that_nobody_has"):
        load_network(DepthAnythingConfig())


def test_weights_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SettingsError, match=r"has no model\.safetensors"):
        find_weights(DepthAnythingConfig(model=str(tmp_path)))
    (tmp_path / "model.safetensors").write_bytes(b"")
    assert find_weights(DepthAnythingConfig(model=str(tmp_path))) == tmp_path


@pytest.mark.parametrize("model", ["./weights", "~/weights", "/no/such/folder", "DA3-BASE"])
def test_neither_a_folder_nor_an_id(model: str) -> None:
    with pytest.raises(SettingsError, match="neither a folder nor an id"):
        find_weights(DepthAnythingConfig(model=model))


def test_weights_that_are_not_here_are_not_fetched_unasked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = pytest.importorskip("huggingface_hub")
    asked = []

    def download(model: str, name: str, **how: object) -> str:
        asked.append((model, name, how))
        if how["local_files_only"]:
            raise hub.errors.LocalEntryNotFoundError("not in the cache\nand more")
        raise OSError("no connection")

    monkeypatch.setattr(hub, "hf_hub_download", download)
    with pytest.raises(SettingsError, match=r"not in the local cache.*\(not in the cache\).*allow da3\.download"):
        find_weights(DepthAnythingConfig(revision="v1"))
    assert asked == [("depth-anything/DA3-BASE", "config.json", {"revision": "v1", "local_files_only": True})]
    with pytest.raises(SettingsError, match=r"could not be fetched.*no connection"):
        find_weights(DepthAnythingConfig(download=True))

    def found(model: str, name: str, **how: object) -> str:
        return str(tmp_path / "snapshot" / name)

    monkeypatch.setattr(hub, "hf_hub_download", found)
    assert find_weights(DepthAnythingConfig()) == tmp_path / "snapshot"


def test_a_network_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    safetensors = pytest.importorskip("safetensors.torch")

    class Network(torch.nn.Linear):
        @classmethod
        def from_pretrained(cls, folder: str, local_files_only: bool) -> Network:
            return cls(3, 3)

    package, api = ModuleType("depth_anything_3"), ModuleType("depth_anything_3.api")
    logging = ModuleType("depth_anything_3.utils.logger")
    api.DepthAnything3, logging.logger = Network, ModuleType("logger")  # type: ignore[attr-defined]
    for module in (package, api, ModuleType("depth_anything_3.utils"), logging):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    (tmp_path / "config.json").write_text("{}")
    safetensors.save_file({"other": torch.ones(1)}, tmp_path / "model.safetensors")
    config = DepthAnythingConfig(model=str(tmp_path), device="cpu")
    with pytest.raises(SettingsError, match="lacks 2 of the network's 2 tensors"):
        load_network(config)
    (tmp_path / "model.safetensors").write_bytes(b"not this")
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_network(config)


def test_devices() -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert choose_device(None).type == ("cuda" if torch.cuda.is_available() else "cpu")
    with pytest.raises(SettingsError, match="no cuda:99 here"):
        choose_device("cuda:99")
    with pytest.raises(SettingsError, match="is no device"):
        choose_device("toaster")


def test_what_is_known_of_a_clip_is_not_left_out_in_silence(capsys: pytest.CaptureFixture, tmp_path: Path) -> None:
    get_reconstructor(SceneConfig(reconstructor="da3"))
    assert "does not use" not in capsys.readouterr().out
    get_reconstructor(SceneConfig(reconstructor="da3", priors=PriorsConfig(depth=tmp_path)))
    assert "does not use known poses, intrinsics or depth" in capsys.readouterr().out


def test_it_is_registered_and_its_settings_key_the_cache(tmp_path: Path) -> None:
    config = SceneConfig(reconstructor="da3", da3=DepthAnythingConfig(model="depth-anything/DA3-SMALL"))
    made = get_reconstructor(config)
    assert isinstance(made, DepthAnythingReconstructor)
    assert made.config.model == "depth-anything/DA3-SMALL"
    (tmp_path / "clip.mp4").write_bytes(b"frames")
    keys = {
        scene_key(tmp_path / "clip.mp4", dataclasses.replace(config, da3=da3), "cpu")
        for da3 in (config.da3, DepthAnythingConfig(), DepthAnythingConfig(window=32))
    }
    assert len(keys) == 3
    with pytest.raises(SettingsError, match=r"da3\.window"):
        SceneConfig(da3=DepthAnythingConfig(window=0)).validate()
