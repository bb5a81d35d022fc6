"""What speaks against a reconstruction is said when it is made, and when it comes from the cache."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from neoverse_ns.reconstruct import cache
from neoverse_ns.reconstruct.cache import cached_scene
from neoverse_ns.reconstruct.confidence import warn_of_doubts
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from tests.reconstruct.small_scene import small_scene


def test_every_doubt_is_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_doubts({})
    assert "".join(capsys.readouterr()) == ""
    warn_of_doubts({"confidence": "fair", "doubts": ["a", "b"]})
    lines = "".join(capsys.readouterr()).splitlines()
    assert [line.split(": ")[-2:] for line in lines] == [["uncertain", "a"], ["uncertain", "b"]]


def test_what_was_decided_and_doubted_is_said_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def build(path: Path, config: SceneConfig, device: str = "cpu") -> Scene:
        scene = small_scene()
        report = {**scene.geometry.report, "confidence": "poor", "doubts": ["something follows the camera"]}
        noted = dataclasses.replace(scene.clip, notes=("two shots found",))
        return dataclasses.replace(scene, clip=noted, geometry=dataclasses.replace(scene.geometry, report=report))

    clip = tmp_path / "clip.bin"
    clip.write_bytes(b"some video")
    monkeypatch.setattr(cache, "build_scene", build)
    config = SceneConfig(cache_dir=tmp_path / "cache")
    cached_scene(clip, config)
    capsys.readouterr()
    cached_scene(clip, config)
    told = " ".join("".join(capsys.readouterr()).split())
    assert "two shots found" in told
    assert "doubtful: something follows the camera" in told
