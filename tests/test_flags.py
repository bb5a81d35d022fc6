"""Settings must load on a machine that has no command line."""

from __future__ import annotations

import subprocess
import sys

import tyro

from neoverse_ns.reconstruct.config import SceneConfig

WITHOUT_TYRO = """
import sys
sys.modules["tyro"] = None
from neoverse_ns.optimise.loop import optimise
from neoverse_ns.generate.stage.config import StageConfig
print(StageConfig().refiner)
"""


def test_the_library_needs_no_tyro() -> None:
    result = subprocess.run([sys.executable, "-c", WITHOUT_TYRO], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "none"


def test_flags_look_as_annotated() -> None:
    assert tyro.cli(SceneConfig, args=["--num-frames", "7"]).clip.num_frames == 7
