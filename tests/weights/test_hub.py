"""Weights found on disk and in the hub's cache, downloads, and one message for each thing that goes wrong."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import huggingface_hub
import pytest
import torch
from huggingface_hub import constants, file_download

from neoverse_ns.errors import SettingsError, WeightsError
from neoverse_ns.weights import notices
from neoverse_ns.weights.config import WeightsConfig
from neoverse_ns.weights.find import find_weights, weights_available
from neoverse_ns.weights.hub import obtain_folder, obtain_weights
from tests.weights.hub_server import COMMIT, REPOSITORY, serve


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any connection fails the test, so that what passes did without."""

    def refuse(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)


def point_hub_at(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", address)
    template = address + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(file_download, "HUGGINGFACE_CO_URL_TEMPLATE", template, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)


def config(tmp_path: Path, **changes: object) -> WeightsConfig:
    settings = {"source": REPOSITORY, "file": "small.ckpt", "cache_dir": tmp_path / "cache"} | changes
    return WeightsConfig(**settings)  # type: ignore[arg-type]


def fill_cache(root: Path, files: dict[str, bytes], repository: str = REPOSITORY) -> Path:
    """The hub's cache layout: a ref that names a commit, a snapshot of links, and blobs."""
    place = root / f"models--{repository.replace('/', '--')}"
    for folder in ("refs", "blobs", f"snapshots/{COMMIT}"):
        (place / folder).mkdir(parents=True, exist_ok=True)
    (place / "refs" / "main").write_text(COMMIT)
    snapshot = place / "snapshots" / COMMIT
    for number, (name, content) in enumerate(files.items()):
        (place / "blobs" / str(number)).write_bytes(content)
        (snapshot / name).parent.mkdir(parents=True, exist_ok=True)
        target = os.path.relpath(place / "blobs" / str(number), (snapshot / name).parent)
        (snapshot / name).symlink_to(target)
    return snapshot


@pytest.mark.usefixtures("no_network")
def test_a_cache_hit_needs_no_network(tmp_path: Path) -> None:
    settings = config(tmp_path, download=True)
    assert weights_available(settings) is None
    snapshot = fill_cache(tmp_path / "cache", {"small.ckpt": b"weights"})
    assert weights_available(settings) == snapshot / "small.ckpt"
    assert obtain_weights(settings).read_bytes() == b"weights"
    assert obtain_weights(config(tmp_path, revision=COMMIT)) == snapshot / "small.ckpt"
    # Another revision is another file, even of the same name.
    assert weights_available(config(tmp_path, revision="v2")) is None


@pytest.mark.usefixtures("no_network")
def test_split_weights_are_there_only_when_every_part_is(tmp_path: Path) -> None:
    index = json.dumps({"weight_map": {"a": "w-1.safetensors", "b": "w-2.safetensors"}}).encode()
    settings = config(tmp_path, file="deep/w.safetensors.index.json")
    fill_cache(tmp_path / "cache", {"deep/w.safetensors.index.json": index, "deep/w-1.safetensors": b"1"})
    assert find_weights(settings) is None
    snapshot = fill_cache(tmp_path / "two", {f"deep/w-{i}.safetensors": b"0" for i in (1, 2)} | {settings.file: index})
    assert find_weights(config(tmp_path, file=settings.file, cache_dir=tmp_path / "two")) == snapshot / settings.file


@pytest.mark.usefixtures("no_network")
def test_a_place_on_disk_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "own.safetensors"
    file.write_bytes(b"x")
    assert find_weights(config(tmp_path, source=str(file))) == file
    # The only weights of a folder are taken whatever their name; of several the name decides.
    assert find_weights(config(tmp_path, source=str(tmp_path))) == file
    (tmp_path / "small.ckpt").write_bytes(b"y")
    assert find_weights(config(tmp_path, source=str(tmp_path))) == tmp_path / "small.ckpt"
    with pytest.raises(WeightsError, match=r"has no third.ckpt \(it has own.safetensors, small.ckpt\)"):
        find_weights(config(tmp_path, source=str(tmp_path), file="third.ckpt"))
    assert weights_available(config(tmp_path, source=str(tmp_path), file="third.ckpt")) is None
    for step in (5, 10):
        (tmp_path / "checkpoints" / f"step-{step:06d}").mkdir(parents=True)
        (tmp_path / "checkpoints" / f"step-{step:06d}" / "third.ckpt").write_bytes(b"z")
    for folder in (tmp_path, tmp_path / "checkpoints"):
        with pytest.raises(WeightsError, match=r"name one of them, such as .*checkpoints/step-000010"):
            find_weights(config(tmp_path, source=str(folder), file="third.ckpt"))
    # What looks like a hub id is a folder where that folder exists.
    monkeypatch.chdir(tmp_path)
    Path(REPOSITORY).mkdir(parents=True)
    (Path(REPOSITORY) / "small.ckpt").write_bytes(b"z")
    assert obtain_weights(config(tmp_path)).read_bytes() == b"z"


@pytest.mark.parametrize("source", ["gone/weights.ckpt", "./gone/folder", "~/nothing-of-this-name", "a/b/c"])
def test_a_missing_place_is_named(tmp_path: Path, source: str) -> None:
    with pytest.raises(WeightsError, match=r"no weights at .*(gone|nothing-of|a/b/c)"):
        obtain_weights(config(tmp_path, source=source, download=True))


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"source": " "}, "source"), ({"file": "../x"}, "../x"), ({"file": "/x"}, "/x"), ({"sha256": "12"}, "64")],
)
def test_settings_that_mean_nothing(tmp_path: Path, changes: dict, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        weights_available(config(tmp_path, **changes))


@pytest.mark.usefixtures("no_network")
def test_without_permission_nothing_is_downloaded(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=rf"--source {REPOSITORY} --file small.ckpt --revision v1 --download`"):
        obtain_weights(config(tmp_path, revision="v1"))
    with pytest.raises(WeightsError, match=r"cache .*set download to True"):
        obtain_folder(config(tmp_path), ["tokenizer/*"])
    with pytest.raises(WeightsError) as told:
        obtain_folder(config(tmp_path), ["a*", "b/*"], "the tokenizer", "pass --fetch")
    assert str(told.value).startswith(f"the tokenizer of {REPOSITORY} is not in the cache")
    assert "pass --fetch, or download the tokenizer elsewhere" in str(told.value)
    assert "*" not in str(told.value)


def test_a_download_lands_in_the_cache_and_prints_the_licence_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(notices.NOTICES, REPOSITORY, "made of sand; read its licence")
    monkeypatch.setattr(notices, "_announced", set())
    content = torch.arange(50_000, dtype=torch.uint8).numpy().tobytes()
    with serve({"small.ckpt": content, "other.ckpt": b"o"}) as hub:
        point_hub_at(monkeypatch, hub.address)
        file = obtain_weights(config(tmp_path, download=True))
        assert file.read_bytes() == content
        assert tmp_path / "cache" in file.parents
        asked = len(hub.requests)
        assert obtain_weights(config(tmp_path, download=True)) == file
        # The second time the cache alone answers.
        assert len(hub.requests) == asked
        obtain_weights(config(tmp_path, file="other.ckpt", download=True))
    assert capsys.readouterr().out.count("made of sand") == 1
    assert weights_available(config(tmp_path)) == file


def test_all_parts_of_split_weights_are_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = json.dumps({"weight_map": {"a": "w-1.safetensors", "b": "w-2.safetensors", "c": "w-1.safetensors"}})
    files = {"w.safetensors.index.json": index.encode(), "w-1.safetensors": b"1", "w-2.safetensors": b"2"}
    with serve(files) as hub:
        point_hub_at(monkeypatch, hub.address)
        file = obtain_weights(config(tmp_path, file="w.safetensors.index.json", download=True))
    assert sorted(p.name for p in file.parent.iterdir()) == sorted(files)


def test_each_refusal_has_its_own_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve({"small.ckpt": b"1"}) as hub:
        point_hub_at(monkeypatch, hub.address)
        for changes, message in [
            ({"file": "absent.ckpt"}, f"{REPOSITORY} has no absent.ckpt"),
            ({"revision": "v9"}, "no revision 'v9'"),
            ({"source": "someone/else"}, r"no repository someone/else \(or it is private\)"),
        ]:
            with pytest.raises(WeightsError, match=message):
                obtain_weights(config(tmp_path, download=True, **changes))
        hub.gated = True
        with pytest.raises(WeightsError, match=r"gated: accept its terms.*hf auth login"):
            obtain_weights(config(tmp_path, download=True))
    # The server is gone now; the library's pauses between its tries would take half a minute.
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(WeightsError, match=r"cannot be reached.*give its path"):
        obtain_weights(config(tmp_path, download=True))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="HF_HUB_OFFLINE forbids"):
        obtain_weights(config(tmp_path, download=True))


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full.*HF_HOME"),
        (RuntimeError("Data processing error: No space left on device (os error 28)"), "disk is full"),
        (PermissionError(errno.EACCES, "Permission denied"), "cannot write.*writable"),
        (ConnectionResetError(104, "Connection reset by peer"), "reset by peer.*resumes"),
    ],
)
def test_trouble_while_downloading(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, message: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fail)
    with pytest.raises(WeightsError, match=message) as raised:
        obtain_weights(config(tmp_path, download=True))
    assert "\n" not in str(raised.value)
    assert str(tmp_path / "cache") in str(raised.value) or "resumes" in message


def test_a_folder_of_a_repository(tmp_path: Path) -> None:
    snapshot = fill_cache(tmp_path / "cache", {"tokenizer/words.txt": b"a", "big.ckpt": b"b"})
    # Without leave to download, the cache is all there is.
    folder = obtain_folder(config(tmp_path), ["tokenizer/*"])
    assert folder == snapshot
    assert obtain_folder(config(tmp_path, source=str(tmp_path)), ["*"]) == tmp_path
    with pytest.raises(WeightsError, match="no folder"):
        obtain_folder(config(tmp_path, source=str(tmp_path / "gone.ckpt")), ["*"])
