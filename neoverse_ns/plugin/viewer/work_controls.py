"""The parts of the tab that start long work: finishing a path's frames, and exporting."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from neoverse_ns.export.options import ExportOptions
from neoverse_ns.export.registry import FORMATS, export_format
from neoverse_ns.gaussians.dynamic import DynamicGaussians
from neoverse_ns.gaussians.transform import transform_layers
from neoverse_ns.generate.base import DEFAULT_PROMPT
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refine_along import refine_along
from neoverse_ns.generate.registry import REFINERS, get_refiner
from neoverse_ns.plugin.run_source import export_scene, run_source
from neoverse_ns.plugin.viewer.jobs import Job, Jobs
from neoverse_ns.plugin.viewer.path_controls import PathControls
from neoverse_ns.plugin.viewer.play_controls import PlayControls
from neoverse_ns.plugin.viewer.playhead import Playhead
from neoverse_ns.plugin.viewer.reels import video_reel
from neoverse_ns.plugin.viewer.run_files import inside
from neoverse_ns.plugin.viewer.viewed import ViewedRun
from neoverse_ns.plugin.world import nerfstudio_to_world

VIDEOS = "videos"
EXPORTS = "exports"
_EVERY = 0.2
"""Seconds between two signs of progress."""


class WorkControls:
    """Starts one job at a time and shows how it goes.

    Args:
        run: What is worked on.
        playhead: Whose instant is exported.
        paths: Whose path is generated.
        play: What plays the result.
    """

    def __init__(self, run: ViewedRun, playhead: Playhead, paths: PathControls, play: PlayControls) -> None:
        self._run, self._playhead, self._paths, self._play = run, playhead, paths, play
        self._jobs = Jobs(self._changed)
        self._told = 0.0
        gui = run.server.gui
        with gui.add_folder("Generate"):
            self._refiner = gui.add_dropdown("Refiner", tuple(REFINERS), initial_value="telea")
            self._prompt = gui.add_text("Prompt", DEFAULT_PROMPT, hint="For refiners that read")
            generate = gui.add_button("Generate", hint="Finish the frames of the path above, and play them")
        with gui.add_folder("Export"):
            self._format = gui.add_dropdown("Format", tuple(FORMATS))
            self._meaning = gui.add_markdown(FORMATS[next(iter(FORMATS))].meaning)
            export = gui.add_button("Export")
        self._state = gui.add_markdown("No work is going on.")
        self._bar = gui.add_progress_bar(0.0, visible=False)
        self._cancel = gui.add_button("Cancel", visible=False)
        self._format.on_update(lambda _: setattr(self._meaning, "content", FORMATS[self._format.value].meaning))
        generate.on_click(lambda event: self._start("Generate", self._generate, event.client))
        export.on_click(lambda event: self._start("Export", self._export, event.client))
        self._cancel.on_click(lambda _: None if self._jobs.current is None else self._jobs.current.cancel())

    def _start(self, name: str, work: Callable[[Job], str], client: Any) -> None:
        if self._jobs.start(name, work) is None:
            self._run.tell("Busy", "One job runs at a time: wait for it, or cancel it", client)

    def _generate(self, job: Job) -> str:
        from neoverse_ns.generate.video import write_video_whole

        wanted = RefinerConfig(refiner=str(self._refiner.value), prompt=str(self._prompt.value))
        config = wanted.kept_in(self._run.folder)
        refiner = get_refiner(config)
        refiner.check()
        trajectory = self._paths.trajectory()
        file = inside(self._run.folder, VIDEOS, f"{self._paths.name}-{config.refiner}.mp4")
        with self._run.lock():
            source = run_source(self._run.model, self._run.scene)
            everything = transform_layers(self._run.model.gaussians.detach(), nerfstudio_to_world())
            if self._run.viewer.trainer is not None:
                # Training goes on meanwhile.
                everything = everything.map(_copied)
                source = dataclasses.replace(source, gaussians=source.gaussians.map(_copied))
        made = refine_along(refiner, source, everything, trajectory, config).whole()
        job.check()
        frames = made.frames.cpu().numpy()
        write_video_whole(file, made.frames.cpu(), made.fps)
        self._play.show(video_reel(np.ascontiguousarray(frames), made.fps))
        return f"{len(frames)} frames in {file}; *Leave the path* shows the scene again"

    def _export(self, job: Job) -> str:
        name = str(self._format.value)
        chosen = export_format(name)
        options = ExportOptions(time=self._playhead.time) if "time" in chosen.takes else ExportOptions()
        chosen.check(options)
        folder = inside(self._run.folder, EXPORTS, name)
        folder.mkdir(exist_ok=True)
        with self._run.lock():
            scene = export_scene(self._run.model, self._run.scene)
        files = chosen.write(scene, options, folder)
        job.check()
        more = "" if len(files) == 1 else f" and {len(files) - 1} more"
        return f"{files[0]}{more}"

    def _changed(self, job: Job) -> None:
        running = job.state == "running"
        now = time.monotonic()
        if running and self._bar.visible and now - self._told < _EVERY:
            return
        self._told = now
        self._bar.value = 100 * job.share
        self._bar.visible = self._cancel.visible = running
        self._state.content = f"{job.name}: {job.message or 'starting'}" if running else job.message
        if not running:
            self._run.tell(f"{job.name}: {job.state}", job.message)


def _copied(layer: DynamicGaussians) -> DynamicGaussians:
    return DynamicGaussians(**{name: value.clone() for name, value in layer.tensors().items()})
