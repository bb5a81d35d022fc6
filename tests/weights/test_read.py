"""Files of every layout give the same tensors; files that are something else are named as what they are."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.read import WeightsFile, read_weights


def tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    state = {f"block.{i}.weight": torch.randn(8, 5 + i, generator=generator) for i in range(4)}
    return state | {"half": torch.ones(3, dtype=torch.bfloat16), "steps": torch.tensor(7)}


def assert_same(file: WeightsFile) -> None:
    expected = tensors()
    assert set(file.tensors) == set(expected)
    for key, value in expected.items():
        assert file.tensors[key].dtype == value.dtype
        torch.testing.assert_close(file.tensors[key], value, rtol=0, atol=0)
    assert file.num_bytes == sum(value.nbytes for value in expected.values())


def save_parts(folder: Path, lists: dict[str, str] | None = None) -> Path:
    state = tensors()
    keys = list(state)
    halves = {"w-1.safetensors": keys[:3], "w-2.safetensors": keys[3:]}
    for name, part in halves.items():
        save_file({key: state[key] for key in part}, folder / name)
    mapping = lists or {key: name for name, part in halves.items() for key in part}
    index = folder / "w.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": mapping}))
    return index


@pytest.mark.parametrize("layout", ["plain", "wrapped", "twice", "legacy", "safetensors", "parts"])
def test_every_layout(tmp_path: Path, layout: str) -> None:
    path = tmp_path / "w.ckpt"
    if layout == "plain":
        torch.save(tensors(), path)
    elif layout == "wrapped":
        torch.save({"epoch": 3, "state_dict": tensors(), "optimizer": {"state": {0: torch.ones(2)}}}, path)
    elif layout == "twice":
        torch.save({"model": {"state_dict": tensors()}, "architecture": {"depth": 4}}, path)
    elif layout == "legacy":
        torch.save(tensors(), path, _use_new_zipfile_serialization=False)
    elif layout == "safetensors":
        path = tmp_path / "w.safetensors"
        save_file(tensors(), path, metadata={"architecture": '{"depth": 4}', "format": "pt"})
    else:
        path = save_parts(tmp_path)
    file = read_weights(path)
    assert_same(file)
    if layout in ("twice", "safetensors"):
        assert file.notes["architecture"] == {"depth": 4}
    if layout == "wrapped":
        assert file.notes == {"epoch": 3}


def test_truncated_files(tmp_path: Path) -> None:
    torch.save(tensors(), tmp_path / "w.ckpt")
    save_file(tensors(), tmp_path / "w.safetensors")
    for name in ("w.ckpt", "w.safetensors"):
        whole = (tmp_path / name).read_bytes()
        for kept in (len(whole) - 40, len(whole) // 2, 20):
            (tmp_path / name).write_bytes(whole[:kept])
            with pytest.raises(WeightsError, match=rf"{name} is (truncated, damaged|damaged, or)"):
                read_weights(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 6000\n", "Git LFS pointer"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"just some words, and more of them", "damaged"),
    ],
)
@pytest.mark.parametrize("name", ["w.ckpt", "w.safetensors"])
def test_what_people_get_instead_of_weights(tmp_path: Path, content: bytes, message: str, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=f"{name}.*{message}") as raised:
        read_weights(tmp_path / name)
    assert "\n" not in str(raised.value)


def test_a_header_that_starts_like_a_tag_is_no_web_page(tmp_path: Path) -> None:
    """The first bytes of a safetensors file are the length of its header: this one reads as a space and a bracket."""
    path = tmp_path / "w.safetensors"
    length = int.from_bytes(b" <", "little")
    # What the metadata need beside their text is found by writing it once.
    save_file({"a": torch.ones(2)}, path, metadata={"note": ""})
    bare = len(path.read_bytes()) - 8 - 8
    save_file({"a": torch.ones(2)}, path, metadata={"note": "x" * (length - bare)})
    assert path.read_bytes().startswith(b" <")
    torch.testing.assert_close(read_weights(path).tensors["a"], torch.ones(2))


def test_a_pickle_that_could_run_code_is_refused(tmp_path: Path) -> None:
    torch.save({"state_dict": tensors(), "args": argparse.Namespace(lr=1.0)}, tmp_path / "w.ckpt")
    with pytest.raises(WeightsError, match="could run code"):
        read_weights(tmp_path / "w.ckpt")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"epoch": 3, "lr": 0.1}, "no tensors, such as epoch, lr"),
        ({}, "but nothing"),
        ([torch.ones(2)], "one list"),
        ({"a": torch.ones(1), "b": 3}, "such as b"),
    ],
)
def test_a_pickle_of_something_else(tmp_path: Path, content: object, message: str) -> None:
    torch.save(content, tmp_path / "w.ckpt")
    with pytest.raises(WeightsError, match=f"no state dict.*{message}"):
        read_weights(tmp_path / "w.ckpt")


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no weights at .*gone\.ckpt"):
        read_weights(tmp_path / "gone.ckpt")
    with pytest.raises(WeightsError, match="cannot read"):
        read_weights(tmp_path)


def test_split_weights_must_agree_with_their_index(tmp_path: Path) -> None:
    index = save_parts(tmp_path)
    (tmp_path / "w-2.safetensors").unlink()
    with pytest.raises(WeightsError, match=r"1 of the 2 files .* \(first: w-2\.safetensors\)"):
        read_weights(index)
    listed = dict.fromkeys(tensors(), "w-1.safetensors") | {"half": "w-2.safetensors", "extra": "w-2.safetensors"}
    with pytest.raises(WeightsError, match=r"disagree on 1 tensors \(first: extra\)"):
        read_weights(save_parts(tmp_path, listed))
    index.write_text('{"weights": 1}')
    with pytest.raises(WeightsError, match="weight_map"):
        read_weights(index)


OUTSIDE = ["../w-2.safetensors", "/etc/hostname", "sub/../../w-2.safetensors", ".."]


@pytest.mark.parametrize("name", OUTSIDE)
def test_an_index_that_lists_files_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    save_parts(folder)
    (folder / "w-2.safetensors").rename(tmp_path / "w-2.safetensors")
    keys = list(tensors())
    index = save_parts(folder, {key: "w-1.safetensors" if key in keys[:3] else name for key in keys})
    with pytest.raises(WeightsError, match="which is not beside it") as raised:
        read_weights(index)
    assert repr(name) in str(raised.value)


def test_parts_may_be_links_as_in_the_hubs_cache_but_not_out_of_the_folder(tmp_path: Path) -> None:
    folder, blobs = tmp_path / "snapshots" / "abc", tmp_path / "blobs"
    folder.mkdir(parents=True)
    blobs.mkdir()
    index = save_parts(folder)
    for number, file in enumerate(sorted(folder.iterdir())):
        file.rename(blobs / str(number))
        file.symlink_to(Path("../../blobs", str(number)))
    assert_same(read_weights(index))
    # Part of them elsewhere: somebody's archive may lead anywhere.
    (tmp_path / "other").mkdir()
    (folder / "w-2.safetensors").resolve().rename(tmp_path / "other" / "2")
    (folder / "w-2.safetensors").unlink()
    (folder / "w-2.safetensors").symlink_to(tmp_path / "other" / "2")
    with pytest.raises(WeightsError, match=r"'w-2\.safetensors' is a link that leads out") as raised:
        read_weights(index)
    assert "\n" not in str(raised.value)


def test_parts_may_lie_in_a_folder_below(tmp_path: Path) -> None:
    save_parts(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "w-2.safetensors").rename(tmp_path / "deep" / "w-2.safetensors")
    keys = list(tensors())
    mapping = {key: "w-1.safetensors" if key in keys[:3] else "deep/w-2.safetensors" for key in keys}
    index = tmp_path / "w.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": mapping}))
    assert_same(read_weights(index))
