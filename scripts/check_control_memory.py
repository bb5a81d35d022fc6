"""Train a tiny control branch on many tiny clips, and see that memory stays flat and nothing is written for a clip.

    python scripts/check_control_memory.py --model MODEL --network NETWORK --clips 200

`MODEL` is a folder with a small Wan in the release's layout, `NETWORK` small weights of NeoVerse's network
(`tests.generate.refiners.wan.tiny_wan` and `tests.networks.neoverse.tiny` write both). Prints resident memory along the
run, and its rise from the first quarter's end to the end; exits with 1 where that is above `--limit` MB, or where the
output folder holds anything but checkpoints, figures and the list of bad clips.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.write import write_video
from neoverse_ns.console import say
from neoverse_ns.generate.degradation.settings import published
from neoverse_ns.generate.refiners.wan.config import WanSource
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.feedforward.config import NetworkConfig
from neoverse_ns.training.control.config import ControlTrainingConfig
from neoverse_ns.training.control.trainer import ControlTrainer

FRAMES, WIDTH, HEIGHT = 9, 32, 16
ALLOWED = ("checkpoints", "bad_clips.jsonl", "figures", "figures.jsonl")


@dataclass
class MemoryCheck:
    """Train on many tiny clips."""

    model: Path
    """Folder of a small Wan."""
    network: Path
    """Small weights of the network."""
    clips: int = 200
    """How many clips, each visited once."""
    workers: int = 1
    """Processes that decode ahead."""
    limit: float = 30.0
    """MB that may be gained from the first quarter's end to the end."""


def write_clips(folder: Path, count: int) -> None:
    """Videos of coarse noise."""
    folder.mkdir()
    for number in range(count):
        generator = torch.Generator().manual_seed(number)
        coarse = torch.randint(0, 256, (FRAMES, HEIGHT // 4, WIDTH // 4, 3), generator=generator, dtype=torch.uint8)
        write_video(folder / f"{number:04d}.mp4", coarse.repeat_interleave(4, 1).repeat_interleave(4, 2), 8.0)


def resident() -> float:
    """MB of memory that this process holds."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def settings(options: MemoryCheck) -> ControlTrainingConfig:
    """Of a run that visits every clip once."""
    scene = SceneConfig(
        clip=ClipConfig(num_frames=FRAMES, spacing=1),
        held_out_every=0,
        reconstructor="network",
        network=NetworkConfig(weights=str(options.network)),
    )
    degradation = published()
    degradation.kernel = (3, 5)
    return ControlTrainingConfig(
        steps=options.clips,
        frames=5,
        context=(3, 5),
        save_every=options.clips,
        log_every=max(options.clips // 10, 1),
        workers=options.workers,
        device="cpu",
        wan=WanSource(model=str(options.model), base=None),
        scene=scene,
        degradation=degradation,
    )


def main() -> int:
    options = tyro.cli(MemoryCheck, description=__doc__)
    with tempfile.TemporaryDirectory() as work:
        clips, output = Path(work) / "clips", Path(work) / "out"
        write_clips(clips, options.clips)
        trainer = ControlTrainer(clips, output, settings(options))
        held: list[float] = []
        take = trainer._take_step

        def step() -> tuple[float, float]:
            found = take()
            held.append(resident())
            return found

        trainer._take_step = step  # type: ignore[method-assign]
        trainer.run()
        strange = sorted(path.name for path in output.iterdir() if path.name not in ALLOWED)
        rise = held[-1] - held[len(held) // 4]
        say(f"memory after {len(held)} clips: " + ", ".join(f"{held[i]:.0f}" for i in range(0, len(held), 10)) + " MB")
        say(f"rise over the last three quarters: {rise:.1f} MB; beside checkpoints and figures: {strange or 'nothing'}")
        return int(rise > options.limit or bool(strange))


if __name__ == "__main__":
    sys.exit(main())
