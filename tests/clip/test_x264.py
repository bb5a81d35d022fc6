"""The same frames always give the same file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from jaxtyping import UInt8
from torch import Tensor
from torch.nn import functional

from neoverse_ns.clip.write import write_video
from neoverse_ns.clip.x264 import steady_params


@pytest.fixture(scope="module")
def blots() -> UInt8[Tensor, "n h w 3"]:
    """Black and white blots that change from frame to frame: much to decide for an encoder."""
    rough = torch.rand(9, 1, 12, 20, generator=torch.Generator().manual_seed(0))
    inside = functional.interpolate(rough, (112, 192)).squeeze(1) > 0.5
    return (255 * inside.to(torch.uint8))[..., None].expand(-1, -1, -1, 3)


def encoded(frames: UInt8[Tensor, "n h w 3"], path: Path) -> bytes:
    write_video(path, frames, 16.0)
    return path.read_bytes()


def test_encoding_again_gives_the_same_file(blots: UInt8[Tensor, "n h w 3"], tmp_path: Path) -> None:
    assert len({encoded(blots, tmp_path / "video.mp4") for _ in range(40)}) == 1


def test_old_processors_choose_for_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert steady_params() is None


def test_what_is_asked_of_new_processors_is_understood(
    blots: UInt8[Tensor, "n h w 3"], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if torch.backends.cpu.get_cpu_capability() not in ("AVX512", "AVX2"):
        pytest.skip("this processor has no AVX2")
    files = []
    for capability in ("AVX512", "AVX2"):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda name=capability: name)
        files.append(len(encoded(blots, tmp_path / f"{capability}.mp4")))
    # Which instructions are used changes sums of floats in their last digits at most.
    assert abs(files[0] - files[1]) < 0.01 * files[1]
    # x264 takes the wish as an option of its own: what it was told stands in the file.
    assert b"x264 - core" in (tmp_path / "AVX512.mp4").read_bytes()
