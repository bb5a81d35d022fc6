"""Worker processes: killed, stuck, and failing ones cost their own clip only."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from neoverse_ns.batch.batch import look, run_batch
from neoverse_ns.batch.do_job import LOCK
from neoverse_ns.batch.local_pool import LocalPool
from neoverse_ns.batch.lock import locked
from tests.batch.small_steps import job_of, said

ROOT = Path(__file__).resolve().parents[2]


def test_each_clip_ends_as_it_must(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    texts = {"good": "hello", "once": "dies once", "always": "dies always", "slow": "slow", "bad": "bad", "last": "x"}
    jobs = [job_of(tmp_path, name, text) for name, text in texts.items()]
    table = run_batch(jobs, LocalPool(2, limit_seconds=2.0))
    found = {row.job.name: {state.step.name: state.state for state in row.states} for row in table.rows}
    done = {"make": "done", "use": "done"}
    assert found["good"] == found["once"] == found["last"] == done
    assert found["always"] == {"make": "killed", "use": "to do"}
    assert found["slow"] == {"make": "failed", "use": "waiting"}
    assert found["bad"] == {"make": "failed", "use": "waiting"}
    assert said(tmp_path).count("once make") == said(tmp_path).count("always make") == 2
    reasons = {row.job.name: row.reasons() for row in table.rows}
    assert reasons["slow"] == ["slow, make: took longer than the 2 seconds allowed"]
    assert "ended by SIGKILL" in reasons["always"][0]
    # Nothing half-done lies about, and no log lost what its worker printed.
    assert not list((tmp_path / "out").glob("*/.draft*"))
    assert not (tmp_path / "out" / "always" / "make").exists()
    assert "made it" in (tmp_path / "out" / "good" / "log.txt").read_text()
    assert "made it" not in capfd.readouterr().out
    # Files say what the table says.
    document = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert {clip["clip"]: clip["state"] for clip in document["clips"]} == {
        "good": "done", "once": "done", "always": "killed", "slow": "failed", "bad": "failed", "last": "done"
    }  # fmt: skip
    with (tmp_path / "out" / "batch.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert [row["numbers"] for row in rows if row["clip"] == "good"] == ["length=5", ""]
    # The killed one is tried again at the next start, what failed is not.
    calls = len(said(tmp_path))
    (tmp_path / "clips" / "always.mp4").write_text("better")
    again = run_batch([job_of(tmp_path, name, texts[name]) for name in ("slow", "bad")], LocalPool(1))
    assert len(said(tmp_path)) == calls
    assert not again.all_done
    assert "nothing left to do for 2 of 2 clips: 2 failed" in capfd.readouterr().out


def test_another_batch_is_waited_for(tmp_path: Path) -> None:
    jobs = [job_of(tmp_path, name, "hello") for name in ("a", "b")]
    (tmp_path / "out" / "a").mkdir(parents=True)
    release = threading.Event()

    def hold() -> None:
        with locked(jobs[0].folder / LOCK) as held:
            assert held
            holding.set()
            release.wait(30)

    holding = threading.Event()
    holder = threading.Thread(target=hold)
    holder.start()
    holding.wait(10)
    timer = threading.Timer(3.0, release.set)
    timer.start()
    started = time.monotonic()
    table = run_batch(jobs, LocalPool(1))
    assert time.monotonic() - started > 1
    holder.join()
    assert table.all_done
    assert sorted(said(tmp_path)) == ["a make", "a use", "b make", "b use"]


_BATCH = """
import sys
from pathlib import Path
from neoverse_ns.batch.batch import run_batch
from neoverse_ns.batch.local_pool import LocalPool
from tests.batch.small_steps import job_of

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    jobs = [job_of(folder, f"c{i:02d}", f"nap {i}") for i in range(12)]
    sys.exit(0 if run_batch(jobs, LocalPool(2)).all_done else 1)
"""


def start(folder: Path) -> subprocess.Popen[bytes]:
    script = folder / "batch_of_twelve.py"
    script.write_text(_BATCH)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, str(script), str(folder)], env=environment, start_new_session=True)


def wait_for(folder: Path, count: int, process: subprocess.Popen[bytes]) -> set[Path]:
    """Steps that are done, once there are so many."""
    for _ in range(2400):
        done = set((folder / "out").glob("*/use/step.json"))
        if len(done) >= count:
            return done
        assert process.poll() is None, "it ended too soon"
        time.sleep(0.05)
    pytest.fail("nothing happens")


def gone(pids: set[int]) -> bool:
    for pid in pids:
        try:
            # A zombie is gone, too; its new parent may take its time.
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                return False
        except OSError:
            continue
    return True


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_twelve_clips_killed_twice_and_stopped_once_are_done_once(tmp_path: Path) -> None:
    kept: dict[Path, tuple[int, int]] = {}
    for count, number in ((2, signal.SIGKILL), (5, signal.SIGKILL), (8, signal.SIGINT)):
        process = start(tmp_path)
        kept |= {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in wait_for(tmp_path, count, process)}
        workers = {int(line.split()[2]) for line in (tmp_path / "said.txt").read_text().splitlines()}
        process.send_signal(number)
        code = process.wait(90)
        # On a busy machine all may be done before the last signal comes.
        assert code in (-number, 1) or (code == 0 and number == signal.SIGINT)
        for _ in range(1200):
            if gone(workers):
                break
            time.sleep(0.05)
        assert gone(workers), "workers outlive their parent"
        if number == signal.SIGINT:
            assert not list((tmp_path / "out").glob("*/.draft*"))
    process = start(tmp_path)
    assert process.wait(120) == 0
    # What was done before a kill is the very same file.
    assert len(kept) >= 8
    assert {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in kept} == kept
    done = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").glob("*/*/step.json"))
    assert done == sorted(f"c{i:02d}/{step}/step.json" for i in range(12) for step in ("make", "use"))
    assert not list((tmp_path / "out").glob("*/.[!l]*"))
    assert look([job_of(tmp_path, f"c{i:02d}", f"nap {i}") for i in range(12)]).all_done
    document = json.loads((tmp_path / "out" / "batch.json").read_text())
    assert document["counts"] == {"done": 12}
