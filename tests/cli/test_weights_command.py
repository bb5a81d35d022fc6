"""ns-neoverse weights: what it prints of small weights on disk, and one line where there are none."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from neoverse_ns.cli.main import entrypoint
from neoverse_ns.networks.neoverse.checkpoint import inspect_weights, save_network
from tests.networks.neoverse.small_network import TINY, small_network


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["ns-neoverse", "weights", *arguments])
    entrypoint()


def error_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        run(monkeypatch, *arguments)
    assert ended.value.code == 1
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert last.startswith("Error:")
    return last


def test_whole_weights_are_described(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "own.ckpt"
    save_network(small_network(), path)
    run(monkeypatch, "--source", str(tmp_path), "--num-frames", "9", "--width", "140", "--height", "84")
    printed = capsys.readouterr().out
    assert f"found {path}" in printed
    assert f"not a published one: {len(small_network().state_dict()):,} tensors" in printed
    assert inspect_weights(path).identity in printed
    assert TINY.to_json() in printed
    assert "memory for 9 frames of 140x84" in printed
    for device in ("CPU: ", "GPU: ", "GPU, low_vram: "):
        assert f"  {device}" in printed
    if not torch.cuda.is_available():
        assert "free here: fits" in printed


def test_what_is_wrong_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cache = ("--cache-dir", str(tmp_path / "cache"))
    assert "--source Yuppie1204/NeoVerse --file reconstructor.ckpt --download" in error_line(
        monkeypatch, capsys, *cache
    )
    assert "no weights at" in error_line(monkeypatch, capsys, "--source", "gone.ckpt")
    with pytest.raises(SystemExit):
        run(monkeypatch, *cache, "--frames", "11")
    printed = capsys.readouterr().out
    # Before anything is downloaded its licence and its needs are told.
    assert "European Union" in printed
    assert "memory for 11 frames of 560x336" in printed
    state = small_network().state_dict()
    del state["cam_head.out_norm.bias"]
    torch.save(state, tmp_path / "part.ckpt")
    part = ("--source", str(tmp_path / "part.ckpt"))
    assert "1 of" in error_line(monkeypatch, capsys, *part)
    assert "SHA-256" in error_line(monkeypatch, capsys, *part, "--sha256", "0" * 64)
    save_network(small_network(), tmp_path / "own.ckpt")
    own = ("--source", str(tmp_path / "own.ckpt"))
    assert "multiples of 14" in error_line(monkeypatch, capsys, *own, "--width", "100")
    assert "positive" in error_line(monkeypatch, capsys, *own, "--frames", "0")
