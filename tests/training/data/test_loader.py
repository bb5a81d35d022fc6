"""Batches: the same after a restart and with any number of workers, whatever clips are bad."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from neoverse_ns.errors import PackageError, RunError
from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.data.loader import TrainingBatches, training_batches
from neoverse_ns.training.data.loader_make import BatchMaker, MadeBatch
from neoverse_ns.training.data.loader_steps import StepLoader
from neoverse_ns.training.data.make_sample import SampleConfig
from neoverse_ns.training.data.manifest import write_manifest
from neoverse_ns.training.data.mixture import CurriculumConfig, Mixture
from neoverse_ns.training.data.plan import BatchPlan, PlanConfig
from neoverse_ns.training.data.sources import ClipSource, divided, open_source
from neoverse_ns.training.data.tally import Tally
from tests.training.data import toy_set
from tests.training.data.toy_set import write_toys

PLAN = PlanConfig(keyframes=(2, 3), frames_per_gpu=4, longest_side=42, aspect=(1.5, 1.5))
ONE = PlanConfig(keyframes=(2, 2), frames_per_gpu=2, longest_side=42, aspect=(1.5, 1.5))

pytestmark = pytest.mark.usefixtures("toys")


def source(folder: Path, count: int, broken: set[int] = frozenset()) -> ClipSource:  # pyright: ignore
    write_manifest(write_toys(folder, count, broken), folder / "toys.jsonl")
    return open_source(folder / "toys.jsonl")


def batches(sources: Sequence[ClipSource], plan: PlanConfig = PLAN, **more: object) -> TrainingBatches:
    return training_batches(sources, plan, SampleConfig(), 7, **more)  # pyright: ignore[reportArgumentType]


def same(one: TrainingBatch, other: TrainingBatch) -> bool:
    names = [field.name for field in fields(one.tensors)]
    return one.names == other.names and all(
        torch.equal(getattr(one.tensors, name), getattr(other.tensors, name)) for name in names
    )


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_restart_sees_what_would_have_come(tmp_path: Path, workers: int) -> None:
    clips = source(tmp_path, 12, {1, 4})
    straight = list(islice(batches([clips], workers=0), 8))
    before = torch.random.get_rng_state()
    again = batches([clips], first_step=3, workers=workers)
    got = list(islice(again, 5))
    again.close()
    assert all(same(one, other) for one, other in zip(got, straight[3:], strict=True))
    # Training's own draws are left alone.
    assert torch.equal(torch.random.get_rng_state(), before)
    assert again.waited > 0


def test_processes_share_an_epoch_without_repeats(tmp_path: Path) -> None:
    clips = source(tmp_path, 48)
    names = [
        n for rank in range(4) for b in islice(batches([clips], ONE, rank=rank, world_size=4), 12) for n in b.names
    ]
    assert len({name.split(" frames")[0] for name in names}) == len(names) == 48


def test_two_processes_see_what_one_of_twice_the_bound_sees(tmp_path: Path) -> None:
    clips = source(tmp_path, 20)
    plan, twice = (PlanConfig((2, 2), bound, 42, (1.5, 1.5)) for bound in (4, 8))
    whole = next(batches([clips], twice))
    parts = [next(batches([clips], plan, rank=rank, world_size=2)) for rank in (0, 1)]
    assert whole.names == parts[0].names + parts[1].names
    assert torch.equal(whole.tensors.rgb, torch.cat([part.tensors.rgb for part in parts]))


def test_two_hundred_clips_of_which_ten_are_broken(tmp_path: Path) -> None:
    broken = set(range(7, 200, 20))
    assert len(broken) == 10
    clips = source(tmp_path / "clips", 200, broken)
    tally = Tally(folder=tmp_path / "run")
    loaded = batches([clips], ONE, tally=tally, workers=2)
    names = [name for batch in islice(loaded, 200) for name in batch.names]
    loaded.close()
    assert len(names) == 200
    listed = (tmp_path / "run" / "bad_clips.jsonl").read_text().splitlines()
    # One epoch meets each once; a few more may be met in the place of others.
    assert 10 <= tally.failures == len(listed) <= 13
    assert tally.tries == 200 + tally.failures
    assert tally.reasons == {"not a toy, or damaged": tally.failures}
    used = [name for name in names if int(name.split()[1].rpartition("-")[2]) in broken]
    assert used == []
    assert all(count <= 3 for count in Counter(name.split(" frames")[0] for name in names).values())
    # What was not broken came as it comes when nothing is.
    sound = source(tmp_path / "sound", 200)
    undisturbed = [name for batch in islice(batches([sound], ONE), 60) for name in batch.names]
    replaced = [i for i, name in enumerate(undisturbed) if int(name.split()[1].rpartition("-")[2]) in broken]
    assert [i for i, (one, other) in enumerate(zip(names, undisturbed, strict=False)) if one != other] == replaced


def test_what_is_all_broken_stops_with_the_reason(tmp_path: Path) -> None:
    clips = source(tmp_path, 60, set(range(60)))
    for workers in (0, 1):
        loaded = batches([clips], ONE, workers=workers)
        with pytest.raises(
            RunError, match="50 clips in a row could not be used: not a toy, or damaged; the last was toy/"
        ):
            next(loaded)
        loaded.close()


def test_clips_too_short_are_counted(tmp_path: Path) -> None:
    clips = source(tmp_path, 5)
    with pytest.raises(RunError, match="50 clips in a row"):
        next(batches([clips], PlanConfig((6, 6), 6, 42, (1.5, 1.5))))


def test_a_damaged_row_is_one_more_bad_clip(tmp_path: Path) -> None:
    source(tmp_path, 6)
    path = tmp_path / "toys.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[1][:-9], *lines[2:]]))
    tally = Tally()
    clips = open_source(path, split=None)
    assert len(list(islice(batches([clips], ONE, tally=tally), 6))) == 6
    assert tally.failures >= 1
    assert all(reason.startswith("not JSON") for reason in tally.reasons)


def test_a_missing_package_is_told_as_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: object, folder: Path, row: object) -> None:
        raise PackageError("h5py is not installed: pip install h5py")

    clips = source(tmp_path, 6)
    monkeypatch.setattr(toy_set.Toy, "open", fail)
    for workers in (0, 1):
        with pytest.raises(PackageError, match=r"^h5py is not installed: pip install h5py$"):
            next(batches([clips], ONE, workers=workers))


def test_a_curriculum_divides_sources(tmp_path: Path) -> None:
    clips = source(tmp_path, 30)
    parts = divided(clips)
    assert [(part.static, len(part.rows)) for part in parts] == [(True, 10), (False, 20)]
    assert [part.weight for part in parts] == pytest.approx([1 / 3, 2 / 3])
    loaded = batches([clips], ONE, curriculum=CurriculumConfig(static_until=256, mixed_from=256))
    first = [bool(flag) for batch in islice(loaded, 6) for flag in batch.tensors.static]
    late = batches([clips], ONE, first_step=256, curriculum=CurriculumConfig(256, 256))
    then = [bool(flag) for batch in islice(late, 10) for flag in batch.tensors.static]
    assert all(first)
    assert 0 < sum(then) < 10


def test_a_killed_worker_is_told(tmp_path: Path) -> None:
    def die(step: int) -> int:
        if step == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return step

    steps = StepLoader(die, workers=1, prefetch=1)
    with pytest.raises(RunError, match=r"killed before step \d, most often for want of memory"):
        list(islice(steps, 5))
    assert list(StepLoader(abs, first_step=3, last_step=6, workers=1)) == [3, 4, 5]


def test_workers_leave_nothing_behind(tmp_path: Path) -> None:
    loaded = batches([source(tmp_path, 12)], ONE, workers=2)
    next(loaded)
    loaded.close()
    assert list(loaded) == []


def test_made_batches_are_pinned_as_they_are() -> None:
    assert MadeBatch(None).pin_memory() == MadeBatch(None)


def test_it_goes_to_workers_that_are_started_anew(tmp_path: Path) -> None:
    import pickle

    clips = source(tmp_path, 12)
    plan = BatchPlan(ONE, 7, 1)
    maker = BatchMaker([clips], plan, Mixture([12], [1.0], 7, step_of=plan.step_of), SampleConfig(), 7, 0)
    made, again = maker(4), pickle.loads(pickle.dumps(maker))(4)
    assert made.batch is not None
    assert again.batch is not None
    assert same(made.batch, again.batch)


def test_kill_and_restart_of_a_process(tmp_path: Path) -> None:
    """A process that is killed in the middle, and one that goes on, together write what one alone writes."""
    clips = source(tmp_path, 12, {3})

    def work(file: Path, first: int, last: int, workers: int, kill: bool) -> None:
        loaded = batches([clips], ONE, first_step=first, workers=workers)
        for _ in range(first, last):
            batch = next(loaded)
            with file.open("a") as log:
                log.write(f"{batch.names} {float(batch.tensors.rgb.double().sum())}\n")
        if kill:
            os.kill(os.getpid(), signal.SIGKILL)
        loaded.close()

    def run(file: Path, first: int, last: int, workers: int, kill: bool = False) -> str:
        process = get_context("fork").Process(target=work, args=(file, first, last, workers, kill))
        process.start()
        process.join(60)
        assert process.exitcode == (-signal.SIGKILL if kill else 0)
        return file.read_text()

    run(tmp_path / "torn", 0, 5, 2, kill=True)
    assert run(tmp_path / "torn", 5, 9, 1) == run(tmp_path / "whole", 0, 9, 0)
