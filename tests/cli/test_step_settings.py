"""How settings of a batch's steps are written, and become flags."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neoverse_ns.batch.step import StepPlace
from neoverse_ns.cli.step_commands import command_step, step_kinds
from neoverse_ns.cli.step_settings import flags, merged, parse_typed, read_settings
from neoverse_ns.errors import SettingsError


def test_later_settings_count_more_and_nested_ones_are_flat() -> None:
    file = {"num_frames": 9, "wan": {"model": "a", "base": "b"}, "trajectory": "static"}
    typed = parse_typed(["generate.wan.model=c=d", "generate.num-frames=5", "render.fps=60"])
    assert typed == {"generate": {"wan.model": "c=d", "num-frames": "5"}, "render": {"fps": "60"}}
    found = merged(file, {"trajectory": "pan_left"}, typed["generate"])
    assert found == {"num-frames": "5", "wan.model": "c=d", "wan.base": "b", "trajectory": "pan_left"}
    words = ("--num-frames", "5", "--trajectory", "pan_left", "--wan.base", "b", "--wan.model", "c=d")
    assert flags(found) == flags(dict(reversed(found.items()))) == words
    assert flags({"a": True, "b": [1, 2], "c": None}) == ("--a", "True", "--b", "1", "2", "--c", "None")


@pytest.mark.parametrize("typed", ["trajectory", "render=static", "render.trajectory", ".a=b", "render.=b"])
def test_settings_that_are_typed_wrong_are_refused(typed: str) -> None:
    with pytest.raises(SettingsError, match=r"must be STEP\.FLAG=VALUE"):
        parse_typed([typed])


def test_files_are_json_or_toml(tmp_path: Path) -> None:
    sections = {"render": {"trajectory": "static"}, "clips": {"a.mp4": {"skip": True}}}
    (tmp_path / "s.json").write_text(json.dumps(sections))
    assert read_settings(tmp_path / "s.json") == sections
    pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    (tmp_path / "s.toml").write_text('[render]\ntrajectory = "static"\n[clips."a.mp4"]\nskip = true\n')
    assert read_settings(tmp_path / "s.toml") == sections


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("s.json", "{", "is no JSON"),
        ("s.toml", "[", "is no TOML"),
        ("s.json", '{"render": 3}', "section a step"),
        ("s.json", '{"clips": {"a.mp4": 3}}', "section a clip"),
        ("s.json", "[]", "section a step"),
    ],
)
def test_files_that_hold_something_else_are_refused(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingsError, match=said):
        read_settings(tmp_path / name)


def test_commands_that_take_a_clip_or_a_scene_are_steps() -> None:
    kinds = step_kinds()
    assert list(kinds)[:2] == ["reconstruct", "train"]
    assert {"render", "generate", "export"} <= kinds.keys()
    assert not {"demo", "weights", "train-control", "trajectory", "batch", "cache"} & kinds.keys()
    assert [kinds[name].scene for name in ("reconstruct", "train", "render")] == [False, False, True]


def test_a_step_is_its_command_with_the_clips_paths(tmp_path: Path) -> None:
    place = StepPlace(Path("/clips/a.mp4"), "a", tmp_path, Path("/out/a/train/scene"))
    step = command_step("generate@left", ("--trajectory", "pan_left", "--save-conditions", "True"))
    assert (step.needs_scene, step.makes_scene) == (True, False)
    command = step.work.command(place)  # type: ignore[attr-defined]
    assert (command.load_config, command.output, command.save_conditions) == (
        Path("/out/a/train/scene"), tmp_path / "a.mp4", True
    )  # fmt: skip
    step = command_step("reconstruct", ("--optimise", "True", "--num-frames", "5"))
    assert (step.needs_scene, step.makes_scene) == (False, True)
    command = step.work.command(place)  # type: ignore[attr-defined]
    assert (command.clip, command.output_dir, command.keep_scene) == (Path("/clips/a.mp4"), tmp_path, True)
    assert (command.optimise, command.scene.clip.num_frames, command.scene.held_out_every) == (True, 5, 0)
    # The same step under another name gives the same; other flags do not.
    assert command_step("reconstruct@b", step.settings[1:]).settings == step.settings


@pytest.mark.parametrize(
    ("name", "words", "said"),
    [
        ("dance", (), "there is no step 'dance': choose from reconstruct, train"),
        ("render", ("--trajectory", "static", "--fps", "fast"), "fps"),
        ("render", ("--trajectory", "static", "--fps", "-3"), "fps"),
        ("train", ("--steps", "-1"), "steps must be 0 or"),
        ("export", ("--wrong", "1"), "wrong"),
    ],
)
def test_what_a_command_does_not_take_is_said_in_a_line(name: str, words: tuple[str, ...], said: str) -> None:
    with pytest.raises(SettingsError) as raised:
        command_step(name, words)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)
    assert "╭" not in str(raised.value)


def test_switches_in_small_letters_are_switches() -> None:
    typed = command_step("reconstruct", ("--optimise", "true", "--num-frames", "5"))
    assert typed.settings == command_step("reconstruct", ("--optimise", "True", "--num-frames", "5")).settings
    assert typed.work.command(StepPlace(Path("a"), "a", Path("b"))).optimise  # type: ignore[attr-defined]
    # Where a text is wanted it stays as it is.
    assert command_step("render", ("--trajectory", "true")).settings == ("render", "--trajectory", "true")


@pytest.mark.parametrize(
    ("name", "words", "told"),
    [
        ("render@a", (), "step render@a: needs --set render@a.trajectory=..."),
        ("render", ("--trajectory", "static", "--foo", "1"), "step render: unknown setting foo"),
        ("render", ("--trajectry", "static"), "step render: unknown setting trajectry"),
        ("render", ("--trajectory", "static", "--fps", "1", "2"), "step render: '2' is one value too many"),
        ("track", ("--grid", "abc"), "step track: grid must be a whole number, got abc"),
        ("multiview", ("--angle", "abc"), "step multiview: angle must be a number, got abc"),
        ("reconstruct", ("--optimise", "maybe"), "step reconstruct: optimise must be true or false, got maybe"),
        ("multiview", ("--move", "fly"), "step multiview: move must be one of pan, orbit, shift, got fly"),
        ("render", ("--trajectory",), "step render: trajectory needs a value"),
    ],
)
def test_wrong_settings_are_told_in_a_short_line(name: str, words: tuple[str, ...], told: str) -> None:
    with pytest.raises(SettingsError) as raised:
        command_step(name, words)
    assert str(raised.value) == told


def test_what_a_step_writes_may_be_called_otherwise(tmp_path: Path) -> None:
    place = StepPlace(Path("/clips/a.mp4"), "a", tmp_path, Path("/scene"))
    step = command_step("render", ("--trajectory", "static"), ("frames",))
    assert step.work.command(place).output == tmp_path / "frames"  # type: ignore[attr-defined]
    assert step.settings != command_step("render", ("--trajectory", "static")).settings
    for bad in ("../a.mp4", "/a.mp4", "..", "step.json"):
        with pytest.raises(SettingsError, match="name of a file in the step's folder"):
            command_step("render", ("--trajectory", "static"), (bad,))
    with pytest.raises(SettingsError, match="fills a folder"):
        command_step("export", (), ("a",))
