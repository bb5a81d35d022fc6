"""What is checked, the most important first, and which job is to be started next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from _gpu.options import Options

BUILD, MACHINE, ON_CPU = "gsplat build", "machine", "optimise on the CPU"
BASE = ("torch", "numpy", "jaxtyping", "rich", "typing_extensions", "PIL")
"""What the library's own modules import, by import name."""
SCENE = (*BASE, "cv2")
"""What building and saving a scene takes besides."""
GENERATION = (*BASE, "diffusers", "importlib_metadata")
"""What the video model takes besides."""


@dataclass(frozen=True)
class Case:
    """One row: its name, and what `measure` of the job's module is called with besides the settings."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Job:
    """Cases that share a process.

    Attributes:
        name: Unique.
        module: Has `measure(settings, **arguments) -> Finding`.
        cases: In their order.
        seconds: The job usually takes, start included: so much is kept for it while less important ones run.
        limit: Seconds after which a case is given up.
        imports: Packages it needs, by import name.
        after: Jobs that must have ended, well or not.
        needs: Jobs that must have ended well.
        cuda: Whether it means anything on CUDA alone.
        background: Whether it runs beside all others.
    """

    name: str
    module: str
    cases: tuple[Case, ...]
    seconds: float
    limit: float
    imports: tuple[str, ...] = BASE
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cuda: bool = False
    background: bool = False


def all_jobs(options: Options) -> list[Job]:
    """Every job, the most important first."""
    tiny, device = options.tiny, options.device
    where, on_cuda = device.upper(), device == "cuda"
    by = "gsplat" if on_cuda else "C++ kernels"
    kinds = ("pixel-sized Gaussians", "antialiased, harmonics", "large Gaussians", "nothing in view")
    drawings = tuple(Case(f"{by}: {kind}", {"kind": kind}) for kind in kinds)
    plain = (Case(f"plain torch: {kinds[0]}", {"kind": kinds[0], "backend": "torch"}),)
    precisions = tuple(Case(f"small network, {kind}", {"kind": kind}) for kind in ("float32", "by stages", "bfloat16"))
    size, counts = ("56x28", (2, 3)) if tiny else ("560x336", (11, 21, 41, 81))
    clips = tuple(Case(f"network, {count} frames of {size}", {"frames": count}) for count in counts)
    model = (Case("video model, tiny, 2 steps" if tiny else "video model, 14B, 4 steps"),)
    steps = tuple(
        Case(f"training step, {count} keyframes of {size}", {"keyframes": count})
        for count in ((2,) if tiny else (2, 8))
    )
    speed = (Case(f"500 Gaussians at 56x32, {where}" if tiny else f"150,000 Gaussians at 560x336, {where}"),)
    device_run = "optimise on CUDA" if on_cuda else "optimise again"
    build = (BUILD,) if on_cuda else ()
    first, checked = (MACHINE,), "_gpu.drawing"
    return [
        Job(MACHINE, "_gpu.machine", (Case(MACHINE),), 15, 90, ("torch",)),
        Job(BUILD, "_gpu.gsplat_build", (Case(BUILD),), 0, 0, ("torch", "gsplat"), cuda=True, background=True),
        Job("drawing", checked, drawings, 25, 90, BASE, build, (*first, *build)),
        Job(ON_CPU, "_gpu.optimisation", (Case(ON_CPU, {"device": "cpu"}),), 45, 240, SCENE, (), first),
        Job(
            device_run,
            "_gpu.optimisation",
            (Case(device_run, {"device": device, "compare": True}),),
            seconds=30,
            limit=150,
            imports=SCENE,
            after=build,
            needs=(*first, ON_CPU),
        ),
        Job("network against the CPU", "_gpu.feedforward", precisions, 25, 90, SCENE, (), first),
        Job("network", "_gpu.network", clips, 70, 120, BASE, (), first),
        Job("drawing by plain torch", checked, plain, 15, 60, BASE, (), first),
        Job("video model", "_gpu.video_model", model, 110, 240, GENERATION, (), first),
        Job("training", "_gpu.training", steps, 60, 150, SCENE, build, (*first, *build)),
        Job("drawing speed", "_gpu.drawing_speed", speed, 15, 60, BASE, build, first),
    ]


def chosen_jobs(jobs: Sequence[Job], words: Sequence[str]) -> list[Job]:
    """Jobs whose names contain a word, with those they need; all of them where no word is given."""
    if not words:
        return list(jobs)
    by_name = {job.name: job for job in jobs}
    wanted = [job.name for job in jobs if any(word.lower() in job.name.lower() for word in words)]
    for name in wanted:
        job = by_name[name]
        wanted += [other for other in (*job.after, *job.needs) if other in by_name and other not in wanted]
    return [job for job in jobs if job.name in wanted]


def next_job(pending: Sequence[Job], ended: set[str], left: float) -> Job | None:
    """The most important job that can start now without taking the time of a more important one that still waits.

    Args:
        pending: Not started, the most important first.
        ended: Names of the jobs that ended, well or not.
        left: Seconds until the session's end.
    """
    reserved = 0.0
    for job in pending:
        ready = ended.issuperset((*job.after, *job.needs))
        if ready and (reserved == 0 or job.seconds + reserved <= left):
            return job
        reserved += job.seconds
    return None
