"""Benchmarks on the command line of ns-train, beside clips as ever."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import tyro
import yaml
from neoverse_ns.method_configs.neoverse import neoverse

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.plugin.benchmark.opened import chosen_protocol, open_benchmark
from neoverse_ns.plugin.benchmark.source import FAMILIES, BenchmarkSource, ClipSource
from neoverse_ns.plugin.trainer import NeoVerseTrainerConfig
from tests.evaluation.data.fabricate_dycheck import write_dycheck


def parsed(*words: str) -> NeoVerseTrainerConfig:
    """As ns-train parses a method's words."""
    methods = {"neoverse": neoverse.config, "other": neoverse.config}
    kind: Any = tyro.conf.SuppressFixed[tyro.conf.FlagConversionOff[tyro.extras.subcommand_type_from_defaults(methods)]]
    return tyro.cli(kind, args=["neoverse", *words])


def test_clips_are_given_as_ever() -> None:
    config = parsed("--data", "clip.mp4", "--start", "3", "--held-out-every", "4", "--vis", "tensorboard")
    assert config.data == Path("clip.mp4")
    assert config.pipeline.datamanager.source == ClipSource()  # pyright: ignore
    assert config.pipeline.datamanager.dataparser.scene.clip.start == 3  # pyright: ignore
    assert config.pipeline.datamanager.dataparser.scene.held_out_every == 4  # pyright: ignore


def test_a_word_chooses_a_benchmark() -> None:
    source = parsed(
        "--vis", "viewer", "dycheck-data", "--data", "iphone", "--scene", "apple"
    ).pipeline.datamanager.source  # pyright: ignore
    assert source == BenchmarkSource("dycheck", Path("iphone"), "dycheck-neoverse@1", "apple")
    assert source.run_name() == "dycheck-neoverse-apple"
    other = parsed("benchmark-data", "--data", "/a/b", "--protocol", "x@1").pipeline.datamanager.source  # pyright: ignore
    assert other.run_name() == "x-b"


def test_configs_older_than_benchmarks_have_clips() -> None:
    manager = copy.deepcopy(neoverse.config.pipeline.datamanager)
    del manager.__dict__["source"]
    del manager.dataparser.__dict__["benchmark"]  # pyright: ignore
    loaded = yaml.load(yaml.dump(manager), Loader=yaml.Loader)
    assert loaded.source == ClipSource()
    assert loaded.dataparser.benchmark is None
    assert yaml.load(yaml.dump(neoverse.config), Loader=yaml.Loader).pipeline.datamanager.source == ClipSource()


def test_words_name_protocols_that_judge_views() -> None:
    assert protocol(FAMILIES["dycheck"][0]).kind == "views"
    for alias, said in (("", "--protocol"), ("dycheck-own@9", "did you mean")):
        with pytest.raises(SettingsError, match=said):
            chosen_protocol(BenchmarkSource("", Path(), alias))
    with pytest.raises(SettingsError, match="benchmark-data"):
        chosen_protocol(BenchmarkSource("tum", Path(), "dycheck-own@1"))
    with pytest.raises(SettingsError, match="ns-neoverse evaluate"):
        chosen_protocol(BenchmarkSource("", Path(), "dycheck-c4g@1"))


def test_the_scene_may_be_left_out_where_it_is_clear(tmp_path: Path) -> None:
    write_dycheck(tmp_path / "one", frames=4, pictures=False)
    write_dycheck(tmp_path / "two", ("apple", "spin"), frames=4, pictures=False)
    for folder, scene in (("one", None), ("one/paper-windmill", None), ("two", "spin"), ("two/spin", None)):
        opened = open_benchmark(BenchmarkSource("dycheck", tmp_path / folder, "dycheck-own@1", scene))
        assert opened.scene.name == ("spin" if folder.startswith("two") else "paper-windmill")
        assert {frame.camera for frame in opened.choice.inputs} == {"0"}
        assert {frame.camera for frame in opened.choice.targets} == {"1", "2"}
    with pytest.raises(SettingsError, match="apple, spin"):
        open_benchmark(BenchmarkSource("dycheck", tmp_path / "two", "dycheck-own@1"))
    with pytest.raises(ClipError, match="no such folder"):
        open_benchmark(BenchmarkSource("dycheck", tmp_path / "three", "dycheck-own@1"))
    with pytest.raises(SettingsError, match="--data FOLDER"):
        open_benchmark(BenchmarkSource("dycheck", None, "dycheck-own@1"))
