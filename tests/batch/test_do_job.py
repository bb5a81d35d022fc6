"""One clip's steps: done once, whole or not at all, and what fails is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neoverse_ns.batch.do_job import LOCK, How, do_job
from neoverse_ns.batch.lock import locked
from neoverse_ns.batch.records import read_done, read_failures
from neoverse_ns.batch.step import Step
from neoverse_ns.batch.survey import settled, survey
from neoverse_ns.errors import SettingsError
from tests.batch.small_steps import Use, job_of, said

HOW = How(log=False)


def states(job, how: How = HOW) -> dict[str, str]:
    return {state.step.name: state.state for state in do_job(job, how).states}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello")
    assert {state.state for state in survey(job)} == {"to do"}
    assert states(job) == {"make": "done", "use": "done"}
    assert (job.folder / "use" / "a.txt").read_text() == "hello"
    assert states(job) == {"make": "done", "use": "done"}
    assert said(tmp_path) == ["a make", "a use"]
    done = read_done(job.folder / "make")
    assert done is not None
    assert (done.numbers, done.clip, done.makes_scene) == ({"length": 5.0}, str(job.clip), True)
    assert not list(job.folder.glob(".draft*"))


def test_other_settings_or_another_clip_are_done_again_with_what_depends_on_them(tmp_path: Path) -> None:
    states(job_of(tmp_path, "a", "hello"))
    old = (tmp_path / "out/a/make/step.json").stat().st_ino
    other = job_of(tmp_path, "a", "hello", settings="other")
    assert [state.state for state in survey(other)] == ["to do", "to do"]
    states(other)
    assert said(tmp_path) == ["a make", "a use"] * 2
    assert (tmp_path / "out/a/make/step.json").stat().st_ino != old
    changed = job_of(tmp_path, "a", "another", settings="other")
    assert states(changed) == {"make": "done", "use": "done"}
    assert (changed.folder / "use" / "a.txt").read_text() == "another"
    # A step more leaves the others alone.
    more = job_of(tmp_path, "a", "another", "other", ("make", "use", "use@again"))
    states(more)
    assert said(tmp_path) == [*["a make", "a use"] * 3, "a use"]


def test_a_failure_is_noted_and_tried_again_only_when_asked(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "bad")
    assert states(job) == {"make": "failed", "use": "waiting"}
    found = survey(job)
    assert found[0].reason == f"{job.clip}: bad, and in two lines"
    assert found[1].reason == "on make"
    assert settled(found, retry_failed=False)
    assert not settled(found, retry_failed=True)
    assert not (job.folder / "make").exists()
    assert not list(job.folder.glob(".draft*"))
    states(job)
    assert said(tmp_path) == ["a make"]
    states(job, How(retry_failed=True, log=False))
    assert said(tmp_path) == ["a make"] * 2
    # Another clip under the same name deserves a try.
    assert states(job_of(tmp_path, "a", "good")) == {"make": "done", "use": "done"}
    assert read_failures(job.folder) == {}


def test_an_error_of_the_program_is_told_by_its_kind_and_kept_in_the_log(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "bug")
    do_job(job, How())
    assert survey(job)[0].reason == "ZeroDivisionError: division by zero (see log.txt)"
    log = (job.folder / "log.txt").read_text()
    assert "Traceback" in log
    assert "raise ZeroDivisionError" in log


def test_what_is_printed_goes_to_the_clips_log(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    job = job_of(tmp_path, "a", "hello")
    do_job(job, How())
    print("after")
    assert capfd.readouterr().out == "after\n"
    log = (job.folder / "log.txt").read_text()
    assert "made it" in log
    # By the name that the folder has in the end.
    assert f"made it in {job.folder / 'make'}/text.txt\n" in log
    assert ".draft" not in log
    assert log.index("--- make") < log.index("made it") < log.index("--- use")


def test_what_a_killed_step_left_is_swept(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello")
    for name in (".draft-make", ".old-use"):
        (job.folder / name).mkdir(parents=True)
        (job.folder / name / "rest").write_text("")
    # A record that was cut short is no record.
    (job.folder / "use").mkdir()
    (job.folder / "use" / "step.json").write_text('{"fingerprint": "')
    (job.folder / "failed.json").write_text("[1")
    assert states(job) == {"make": "done", "use": "done"}
    assert sorted(path.name for path in job.folder.iterdir() if path.is_dir()) == ["make", "use"]
    assert json.loads((job.folder / "use" / "step.json").read_text())["finished"] > 0


def test_a_clip_that_another_process_is_at_is_left_alone(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello")
    job.folder.mkdir(parents=True)
    (job.folder / ".draft-make").mkdir()
    with locked(job.folder / LOCK) as held:
        assert held
        result = do_job(job, HOW)
        assert result.busy
        assert said(tmp_path) == []
        assert (job.folder / ".draft-make").is_dir()
    assert not do_job(job, HOW).busy


def test_steps_without_a_scene_make_one_or_take_the_newest(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello", steps=("use",))
    assert states(job) == {"make": "done", "use": "done"}
    # Another setting of the step that nobody asked for does not matter: the scene is there.
    again = job_of(tmp_path, "a", "hello", settings="other", steps=("use",))
    assert states(again) == {"use": "done"}
    assert said(tmp_path) == ["a make", "a use"]


def test_without_any_scene_the_step_says_so(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello", steps=("use",))
    job = type(job)(job.clip, job.name, job.output, job.steps, None)
    do_job(job, HOW)
    assert "there is no scene of a to start from" in survey(job)[0].reason


def test_a_clip_that_is_gone_fails_by_its_own_step(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello")
    job.clip.unlink()
    assert states(job) == {"make": "failed", "use": "waiting"}


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "@a", "two@at@s", "ä"])
def test_names_that_are_no_folders_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises((SettingsError, IndexError)):
        Step(name, Use(tmp_path)).validate()


def test_the_scene_that_was_made_for_others_shows_in_the_table(tmp_path: Path) -> None:
    job = job_of(tmp_path, "a", "hello", steps=("use",))
    do_job(job, HOW)
    assert [(state.step.name, state.state) for state in survey(job)] == [("make", "done"), ("use", "done")]
