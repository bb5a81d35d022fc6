"""Trainings that only load: clips of known kind, and processes that sleep as long as a step takes."""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from itertools import islice
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from neoverse_ns.training.data.loader import TrainingBatches, training_batches
from neoverse_ns.training.data.loader_steps import StepLoader
from neoverse_ns.training.data.make_sample import SampleConfig
from neoverse_ns.training.data.manifest import Manifest, write_manifest
from neoverse_ns.training.data.mixture import Mixture
from neoverse_ns.training.data.plan import BatchPlan, PlanConfig
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.own import Own
from neoverse_ns.training.data.sets.own_write import RigidThings, write_clip
from neoverse_ns.training.data.sets.worlds import WorldClip
from neoverse_ns.training.data.shards_write import write_shards
from neoverse_ns.training.data.sources import ClipSource, open_source

FRAMES = 33


def make_clips(folder: Path, count: int, width: int, height: int) -> None:
    """Worlds as files of the own layout, in `clips` and, packed, in `shards`."""
    for seed in range(count):
        clip = WorldClip(seed, width, height, FRAMES)
        moving = None if clip.info.static else RigidThings(torch.from_numpy(clip.poses), clip.instances)
        write_clip(folder / "clips" / f"world-{seed}", clip, moving, farthest=200.0)
    write_shards(Own().find(folder / "clips"), folder / "clips", folder / "shards")


def sources(folder: Path, times: int = 50) -> dict[str, ClipSource]:
    """The clips as files and out of shards; each comes `times` times under other names, as of a larger data set."""
    files, shards = open_source(folder / "clips", "own"), open_source(folder / "shards")
    found = {}
    for name, source in (("files", files), ("shards", shards)):
        rows = [replace(source.rows[n % len(source.rows)], id=f"{n}") for n in range(times * len(source.rows))]
        found[name] = replace(source, rows=rows)
    return found


def frame_milliseconds(source: ClipSource, plan: PlanConfig, batches: int) -> tuple[float, float]:
    """Of one core: to make a frame of a sample, and a batch, on average."""
    loaded = training_batches([source], plan, SampleConfig(), 0)
    next(loaded)
    began, frames = time.process_time(), 0
    for batch in islice(loaded, batches):
        frames += batch.tensors.rgb.shape[0] * batch.tensors.rgb.shape[1]
    took = 1e3 * (time.process_time() - began)
    return took / frames, took / batches


@dataclass(frozen=True)
class Run:
    """A training that slept.

    Attributes:
        ranks: Processes that train.
        workers: Processes that load, for each of them.
        step: Seconds that a step sleeps.
        waiting: Share of the time that was spent waiting for data, on average over processes, from the second step on.
        rate: Steps a second.
    """

    ranks: int
    workers: int
    step: float
    waiting: float
    rate: float


@dataclass(frozen=True)
class Loading:
    """Batches of clips, as they are; or of nothing, which take as long as was recorded and are as large.

    Attributes:
        source: Of clips.
        seconds: Of a batch without clips; None loads clips.
        megabytes: Of such a batch.
    """

    source: ClipSource
    seconds: float | None = None
    megabytes: int = 40

    def begin(self, rank: int, ranks: int, workers: int) -> StepLoader[Any] | TrainingBatches:
        """The batches of a process."""
        if self.seconds is None:
            return training_batches([self.source], PlanConfig(), SampleConfig(), 0, 0, rank, ranks, workers)
        return StepLoader(self._pretend, workers=workers)

    def _pretend(self, step: int) -> Tensor:
        time.sleep(self.seconds or 0.0)
        return torch.empty(self.megabytes * 10**6, dtype=torch.uint8)


def simulate(loading: Loading, ranks: int, workers: int, seconds: list[float], steps: int) -> Run:
    """Let processes take steps together, as where gradients are shared: wait for data, sleep, wait for the others.

    Args:
        loading: What they load.
        ranks: Processes that train.
        workers: Processes that load, for each.
        seconds: That steps take, in turn; as they were recorded.
        steps: How many, after a first one that starts the workers.
    """
    context = multiprocessing.get_context("fork")
    barrier, told = context.Barrier(ranks), context.SimpleQueue()
    arguments = (loading, ranks, workers, seconds, steps, barrier, told)
    processes = [context.Process(target=_rank, args=(rank, *arguments)) for rank in range(ranks)]
    for process in processes:
        process.start()
    results = [told.get() for _ in processes]
    for process in processes:
        process.join()
    waited, took = np.array(results).mean(axis=0)
    return Run(ranks, workers, float(np.mean(seconds)), float(waited / took), float(steps / took))


def _rank(
    rank: int,
    loading: Loading,
    ranks: int,
    workers: int,
    seconds: list[float],
    steps: int,
    barrier: Barrier,
    told: SimpleQueue[tuple[float, float]],
) -> None:
    torch.set_num_threads(1)
    loaded = loading.begin(rank, ranks, workers)
    next(loaded)
    barrier.wait()
    began, before = time.perf_counter(), loaded.waited
    for step in range(steps):
        next(loaded)
        time.sleep(seconds[step % len(seconds)])
        barrier.wait()
    told.put((loaded.waited - before, time.perf_counter() - began))
    loaded.close()


def manifest_figures(folder: Path, rows: int) -> dict[str, float]:
    """Seconds to write a manifest, to open it and a split of it, microseconds a row, and memory, in a new process."""
    path = folder / "many.jsonl"
    began = time.perf_counter()
    write_manifest((_row(number) for number in range(rows)), path)
    written = time.perf_counter() - began
    began = time.perf_counter()
    Manifest(path, "val")
    split = time.perf_counter() - began
    command = [sys.executable, str(Path(__file__)), str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"written": written, "split": split, "bytes": path.stat().st_size} | json.loads(done.stdout.splitlines()[-1])


def sampler_figures(steps: int, processes: int, sizes: list[int], weights: list[float]) -> dict[str, float]:
    """Microseconds to choose a sample; how many there are; how many came twice within an epoch, which must be none."""
    plan = BatchPlan(PlanConfig(), 0, processes)
    mixture = Mixture(sizes, weights, 0)
    total = plan.samples_before(steps)
    seen: set[tuple[int, int, int]] = set()
    began = time.process_time()
    for step in range(steps):
        numbers = [number for rank in range(processes) for number in plan.step(step, rank).sample_numbers]
        chosen = [mixture.choose(number) for number in numbers]
        seen.update((one.source, one.epoch, one.row) for one in chosen)
    microseconds = 1e6 * (time.process_time() - began) / total
    whole = {(source, epoch) for source, epoch, _ in seen}
    epochs = sum(1 for source, epoch in whole if (source, epoch + 1) in whole)
    ended = sum(1 for source, epoch, _ in seen if (source, epoch + 1) in whole)
    should = sum(sizes[source] for source, epoch in whole if (source, epoch + 1) in whole)
    repeats, missed = total - len(seen), should - ended
    return {"samples": total, "microseconds": microseconds, "epochs": epochs, "repeats": repeats, "missed": missed}


def _row(number: int) -> ManifestRow:
    source: dict[str, str | int] = {
        "shard": f"clips-{number // 250:06d}.tar",
        "offset": 512 * number,
        "size": 4_000_000,
    }
    split = "val" if number % 100 == 0 else "train"
    return ManifestRow(f"clip-{number:07d}", "spatial_vid", source, 450, 30.0, 1280, 720, "words " * 20, split)


def _open(path: Path) -> dict[str, float]:
    """In a process of its own."""
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    manifest = Manifest(path)
    opened = time.perf_counter() - began
    places = np.random.default_rng(0).integers(0, len(manifest), 20_000)
    began = time.perf_counter()
    for place in places:
        manifest[int(place)]
    each = (time.perf_counter() - began) / len(places)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used
    return {"opened": opened, "row": 1e6 * each, "megabytes": more / 1024}


if __name__ == "__main__":
    print(json.dumps(_open(Path(sys.argv[1]))))
