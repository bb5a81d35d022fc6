"""`ns-neoverse batch` on real clips: killed twice, and everything is done once."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from neoverse_ns.clip.synthetic import render_synthetic
from neoverse_ns.clip.write import write_video
from neoverse_ns.reconstruct.store import load_scene
from tests.e2e.commands import BIN, PATIENCE, Shell, read_video

CLIPS, FRAMES, WIDTH, HEIGHT = 12, 5, 96, 64


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder `clips` with twelve that differ in a corner, and one that is none."""
    shell = Shell(tmp_path_factory.mktemp("batch"))
    folder = shell.folder / "clips"
    folder.mkdir()
    frames = render_synthetic(FRAMES, WIDTH, HEIGHT).frames
    for number in range(CLIPS):
        frames[:, :4, :4] = 20 * number
        write_video(folder / f"c{number:02d}.mp4", frames, 8.0)
    (folder / "bad.mp4").write_bytes(b"no video")
    return shell


def start(shell: Shell) -> subprocess.Popen[bytes]:
    command = [BIN / "ns-neoverse", "batch", "clips", "--output", "out", "--workers", "2"]
    environment = shell.environment() | {"OMP_NUM_THREADS": "1"}
    with (shell.folder / "printed.txt").open("ab") as printed:
        return subprocess.Popen(
            command, cwd=shell.folder, env=environment, stdout=printed, stderr=printed, start_new_session=True
        )


def done(shell: Shell) -> dict[Path, tuple[int, int]]:
    """Records of finished steps, with what changes when one is written again."""
    found = (shell.folder / "out").glob("*/reconstruct/step.json")
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_twelve_clips_killed_twice_are_done_once(shell: Shell) -> None:
    kept: dict[Path, tuple[int, int]] = {}
    for count in (2, 6):
        process = start(shell)
        end = time.monotonic() + PATIENCE
        while len(done(shell)) < count:
            assert process.poll() is None, (shell.folder / "printed.txt").read_text()
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
        kept |= done(shell)
    process = start(shell)
    # One clip is none, and that stopped no other.
    assert process.wait(PATIENCE) == 1, (shell.folder / "printed.txt").read_text()
    now = done(shell)
    assert len(now) == CLIPS
    assert len(kept) >= 6
    assert {path: now[path] for path in kept} == kept
    for path in now:
        scene = load_scene(path.parent / "scene")
        assert scene.gaussians is not None
        assert len(scene.clip) == FRAMES
        assert (path.parent / "cameras.json").is_file()
    assert not [path for path in (shell.folder / "out").glob("*/.*") if path.name != ".lock"]
    document = json.loads((shell.folder / "out" / "batch.json").read_text("utf8"))
    assert document["counts"] == {"done": CLIPS, "failed": 1}
    with (shell.folder / "out" / "batch.csv").open() as file:
        rows = {row["clip"]: row for row in csv.DictReader(file)}
    assert len(rows) == CLIPS + 1
    assert "bad.mp4: not a video" in rows["bad"]["reason"]
    assert float(rows["c00"]["seconds"]) > 0


def test_the_same_command_again_finds_nothing_to_do(shell: Shell) -> None:
    before = done(shell)
    assert len(before) == CLIPS, "the test before this one has to pass"
    result = shell.run("ns-neoverse", "batch", "clips", "--output", "out")
    assert result.code == 1
    assert "nothing left to do for 13 of 13 clips" in result.output
    assert done(shell) == before


def test_other_steps_take_the_scenes_that_are_there(shell: Shell) -> None:
    (shell.folder / "batch.toml").write_text(
        '[render]\ntrajectory = "static"\nnum_frames = 2\n[export]\nformat = "npz"\n'
        + "".join(f'[clips."c{number:02d}.mp4"]\nskip = true\n' for number in range(2, CLIPS))
        + '[clips."bad.mp4"]\nskip = true\n[clips."c01.mp4".render]\nnum-frames = 3\n'
    )
    pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    before = done(shell)
    arguments = ("batch", "clips", "--do", "render,generate@near,export", "--settings", "batch.toml", "--output", "out")
    typed = ("generate@near.trajectory=push_in", "generate@near.refiner=telea", "generate@near.num-frames=2")
    result = shell.succeed("ns-neoverse", *arguments, *(word for each in typed for word in ("--set", each)))
    assert "2 done" in result.output
    assert done(shell) == before
    out = shell.folder / "out"
    assert [len(read_video(out / name / "render" / f"{name}.mp4")) for name in ("c00", "c01")] == [2, 3]
    assert read_video(out / "c00" / "generate@near" / "c00.mp4").shape == (2, HEIGHT, WIDTH, 3)
    with np.load(out / "c01" / "export" / "scene_4d.npz") as arrays:
        assert len(arrays.files) > 5


def test_what_is_wrong_with_the_settings_is_said_before_any_work(shell: Shell) -> None:
    lines = {
        "no step 'dance'": ("--do", "dance"),
        "--set render.trajectory=": ("--do", "render"),
        "num-frames": ("--set", "reconstruct.num-frames=many"),
        "settings of 'render'": ("--set", "render.trajectory=static"),
        "must be STEP.FLAG=VALUE": ("--set", "trajectory"),
        "no.toml": ("--settings", "no.toml"),
        "each once": ("--do", "render,render"),
        "--workers must be": ("--workers", "0"),
    }
    from neoverse_ns.cli.main import parse
    from neoverse_ns.errors import NeoVerseError

    for text, arguments in lines.items():
        words = ("batch", str(shell.folder / "clips"), "--output", str(shell.folder / "other"), *arguments)
        command = parse(words)
        with pytest.raises(NeoVerseError) as raised:
            command.run()
        assert text in str(raised.value)
        assert "\n" not in str(raised.value)
    assert not (shell.folder / "other").exists()
