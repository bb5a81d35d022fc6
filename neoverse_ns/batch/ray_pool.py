"""Workers as actors of Ray, on this machine or on a cluster whose machines share the folders."""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from neoverse_ns.batch.between import environment, prepare_process, tidy_process
from neoverse_ns.batch.do_job import How, JobResult, do_job, reason_of
from neoverse_ns.batch.pool import Ended
from neoverse_ns.batch.step import Job
from neoverse_ns.errors import PackageError, RunError

_GLANCE = 1.0
"""Seconds between two looks at whether a job takes too long."""


class ClipWorker:
    """What an actor is: does clips one after the other, and keeps networks that are loaded."""

    def __init__(self, threads: int | None = None, folder: str | None = None) -> None:
        # Settings may name files relative to where the batch was started.
        if folder is not None and os.path.isdir(folder):
            os.chdir(folder)
        prepare_process(threads)

    def ready(self) -> bool:
        """Answers once the actor is there."""
        return True

    def do(self, job: Job, how: How) -> JobResult | str:
        """See :func:`neoverse_ns.batch.do_job.do_job`; a sentence where that cannot be done at all."""
        try:
            return do_job(job, how)
        except Exception as error:
            return reason_of(error)
        finally:
            tidy_process()


@dataclass
class _Actor:
    """An actor with what it is doing."""

    handle: Any
    up: Any
    pending: Any = None
    job: Job | None = None
    since: float | None = None


class RayPool:
    """Actors, which are started anew where they die.

    Args:
        workers: How many; graphics cards and cores of the cluster are divided among them.
        limit_seconds: After so many for one job its actor is killed; None never.
        address: Of a cluster that is running; None starts Ray on this machine, or takes RAY_ADDRESS.

    Raises:
        PackageError: Ray is not installed.
        RunError: The cluster cannot be reached.
    """

    def __init__(self, workers: int, limit_seconds: float | None = None, address: str | None = None) -> None:
        if importlib.util.find_spec("ray") is None:
            raise PackageError("--pool ray needs the package ray: pip install 'neoverse-ns[ray]'")
        self._ray: Any = importlib.import_module("ray")
        self._count, self._limit = workers, limit_seconds
        if not self._ray.is_initialized():
            # A cluster that is running has a dashboard, or has none; one that is started for this needs none.
            fresh = {} if address or os.environ.get("RAY_ADDRESS") else {"include_dashboard": False}
            try:
                self._ray.init(address=address, log_to_driver=False, **fresh)
            except Exception as error:  # It raises plain ones, too.
                where = f"the Ray cluster at {address} cannot be reached" if address else "Ray cannot be started"
                raise RunError(f"{where}: {' '.join(str(error).split())}") from error
        there = self._ray.cluster_resources()
        self._share = {
            "num_cpus": min(1.0, there.get("CPU", 1.0) / workers),
            "num_gpus": min(1.0, there.get("GPU", 0.0) / workers),
        }
        self._threads = max(int(there.get("CPU", workers) / workers), 1)

    def run(self, jobs: Sequence[Job], how: How) -> Iterator[Ended]:
        """See :class:`neoverse_ns.batch.pool.Pool`."""
        left = deque(jobs)
        actors: list[_Actor] = []
        try:
            while left or any(actor.job for actor in actors):
                while left and len(actors) < self._count:
                    actors.append(self._start())
                    self._give(actors[-1], left.popleft(), how)
                yield from self._ends(actors)
                for actor in actors:
                    if actor.job is None and left:
                        self._give(actor, left.popleft(), how)
        finally:
            for actor in actors:
                self._ray.kill(actor.handle)

    def _start(self) -> _Actor:
        variables = environment(self._threads, None)
        options = {**self._share, "max_restarts": 0, "runtime_env": {"env_vars": variables}}
        handle = self._ray.remote(ClipWorker).options(**options).remote(self._threads, os.getcwd())
        return _Actor(handle, handle.ready.remote())

    def _give(self, actor: _Actor, job: Job, how: How) -> None:
        actor.job, actor.since = job, None
        actor.pending = actor.handle.do.remote(job, how)

    def _ends(self, actors: list[_Actor]) -> list[Ended]:
        busy = {actor.pending: actor for actor in actors if actor.job is not None}
        found, _ = self._ray.wait(list(busy), timeout=None if self._limit is None else _GLANCE)
        ends = [self._end_of(busy[pending], actors) for pending in found]
        for actor in list(actors):
            if actor.job is not None and self._is_late(actor):
                actors.remove(actor)
                self._ray.kill(actor.handle)
                ends.append(Ended(actor.job, "late", reason=f"took longer than the {self._limit:g} seconds allowed"))
        return ends

    def _is_late(self, actor: _Actor) -> bool:
        if self._limit is None:
            return False
        # No time is counted until the actor is there: the cluster may have to make room first.
        if actor.since is None and self._ray.wait([actor.up], timeout=0)[0]:
            actor.since = time.monotonic()
        return actor.since is not None and time.monotonic() - actor.since > self._limit

    def _end_of(self, actor: _Actor, actors: list[_Actor]) -> Ended:
        job = actor.job
        assert job is not None
        actor.job, pending, actor.pending = None, actor.pending, None
        try:
            result = self._ray.get(pending)
        except self._ray.exceptions.RayActorError:
            actors.remove(actor)
            return Ended(job, "died", reason="its actor died: perhaps the memory did not suffice; use fewer --workers")
        except self._ray.exceptions.RayError as error:
            return Ended(job, "error", reason=" ".join(str(error).split())[:300])
        if isinstance(result, str):
            return Ended(job, "error", reason=result)
        return Ended(job, "returned", result)
