"""`ns-neoverse batch`: the same steps for every clip of a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from neoverse_ns.console import CONSOLE, say, warn
from neoverse_ns.errors import SettingsError

if TYPE_CHECKING:
    from neoverse_ns.batch.pool import Pool
    from neoverse_ns.batch.step import Job, Step
    from neoverse_ns.batch.table import BatchTable


@dataclass
class Batch:
    """Do the same with every clip of a folder: reconstruct, train, render, generate, export, ...

    For example, an orbit around every clip, finished by the refiner that learns from it:

    ns-neoverse batch CLIPS --do train,generate --set generate.trajectory=orbit_left --output out

    Settings of the steps are the flags of their commands (ns-neoverse render --help), typed as above or in a file:

    ns-neoverse batch CLIPS --do train,render@left,render@frozen,export --settings batch.toml --output out

    What is done already is skipped, so that the same command goes on where it was stopped, killed or out of power. One
    bad clip stops no other; what failed is tried again with --retry-failed, or when its settings change. Exit code 1
    says that something failed; out/batch.csv and out/batch.json say what, and out/CLIP/log.txt all that was printed.
    """

    clips: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="FOLDER")]]
    """Folder of videos and folders of images."""
    output: Path
    """Folder that gets a folder a clip, with one a step in it, and the table."""
    do: str = "reconstruct"
    """Steps, separated by commas: any command that takes a clip or a scene, and train, which optimises the scene as
    ns-train neoverse does. Text after an @ tells two of a kind apart: render@left,render@right."""
    set: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """A setting of a step, as render.trajectory=orbit_left; may be given many times. Switches are true or false."""
    settings: Path | None = None
    """TOML or JSON file with a section a step, [render], and, for single clips, [clips."street.mp4".render]; a clip
    with skip = true is left out. What is typed by --set counts more."""
    workers: int = 1
    """Clips at once, each in a process of its own, which loads a network once. Graphics cards are shared out."""
    limit_seconds: float | None = None
    """Give a clip up that takes longer."""
    retry_failed: bool = False
    """Try again what failed."""
    dry_run: bool = False
    """Only show what would be done."""
    pool: Literal["local", "ray"] = "local"
    """Processes of this machine, or actors of Ray (extra `ray`), on a cluster that shares the folders."""
    ray_address: str | None = None
    """Of a Ray cluster that is running, such as auto; by default Ray is started here."""

    def run(self) -> None:
        """Do what is left, and print the table.

        Raises:
            ClipError, SettingsError, PackageError, RunError: It cannot be begun.
            SystemExit: With 1 where something failed, with 130 where the keyboard stopped it.
        """
        if self.workers < 1:
            raise SettingsError(f"--workers must be 1 or more, got {self.workers}")
        if self.limit_seconds is not None and not self.limit_seconds > 0:
            raise SettingsError(f"--limit-seconds must be above 0, got {self.limit_seconds:g}")
        jobs = self._jobs()
        from neoverse_ns.batch.batch import look, run_batch

        if self.dry_run:
            table = look(jobs)
            self._show(table)
            say(f"{table.counts()}; nothing was done")
            return
        try:
            table = run_batch(jobs, self._pool(), self.retry_failed)
        except KeyboardInterrupt:
            say("stopped; the same command goes on from here")
            raise SystemExit(130) from None
        self._show(table)
        say(f"wrote {self.output / 'batch.csv'} and batch.json: {table.counts()}, in {self.output}")
        if not table.all_done:
            raise SystemExit(1)

    def _show(self, table: BatchTable) -> None:
        CONSOLE.print(table.shown())
        for row in table.rows:
            for line in row.reasons():
                warn(line)
        if any(state.state == "failed" for row in table.rows for state in row.states) and not self.retry_failed:
            say("--retry-failed tries again what failed")

    def _pool(self) -> Pool:
        from neoverse_ns.batch.between import devices
        from neoverse_ns.batch.local_pool import LocalPool
        from neoverse_ns.batch.ray_pool import RayPool

        if self.pool == "ray":
            return RayPool(self.workers, self.limit_seconds, self.ray_address)
        return LocalPool(self.workers, self.limit_seconds, devices())

    def _jobs(self) -> list[Job]:
        """One a clip, with settings that its steps' commands take."""
        from neoverse_ns.batch.clips import named_clips
        from neoverse_ns.batch.step import Job
        from neoverse_ns.cli.step_settings import CLIPS, parse_typed, read_settings

        names = [name.strip() for name in self.do.split(",") if name.strip()]
        if not names or len(set(names)) < len(names):
            raise SettingsError(
                f"--do must name steps, each once, got '{self.do}'; render@a,render@b are two of a kind"
            )
        sections = {} if self.settings is None else read_settings(self.settings)
        typed, special = parse_typed(self.set), sections.pop(CLIPS, {})
        for name in [*sections, *typed, *(step for clip in special.values() for step in clip if step != "skip")]:
            if name not in (*names, "reconstruct"):
                raise SettingsError(f"there are settings of '{name}', which is no step of --do {self.do}")
        output, named = self.output.expanduser().absolute(), named_clips(self.clips.expanduser(), self.output)
        for clip in special:
            if clip not in {path.name for path in named.values()}:
                raise SettingsError(f"--settings {self.settings}: there is no clip '{clip}' in {self.clips}")
        chosen = _Steps(names, sections, typed)
        jobs = []
        for name, clip in named.items():
            own: dict[str, Any] = special.get(clip.name, {})
            if not own.get("skip", False):
                jobs.append(Job(clip.absolute(), name, output, *chosen.of_clip(own)))
        if not jobs:
            raise SettingsError(f"--settings {self.settings} skips every clip of {self.clips}")
        return jobs


class _Steps:
    """Steps with their settings; most clips share theirs, which are looked at once."""

    def __init__(self, names: list[str], sections: dict[str, Any], typed: dict[str, Any]) -> None:
        self._names, self._sections, self._typed = names, sections, typed
        self._made: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Step] = {}

    def of_clip(self, own: dict[str, Any]) -> tuple[tuple[Step, ...], Step]:
        """A clip's steps, those that make a scene from it first, and what makes one where none of them does."""
        steps = sorted((self._step(name, own) for name in self._names), key=lambda step: step.needs_scene)
        return tuple(steps), self._step("reconstruct", own)

    def _step(self, name: str, own: dict[str, Any]) -> Step:
        from neoverse_ns.cli.step_commands import command_step
        from neoverse_ns.cli.step_settings import flags, merged

        settings = merged(self._sections.get(name, {}), own.get(name, {}), self._typed.get(name, {}))
        named = settings.pop("output", ())
        outputs = (named,) if isinstance(named, str) else tuple(map(str, named))
        words = flags(settings)
        if (name, words, outputs) not in self._made:
            self._made[name, words, outputs] = command_step(name, words, outputs)
        return self._made[name, words, outputs]
