"""Check on a GPU what this project does on one, and measure it: drawing, optimisation, the network, the video model.

    python scripts/check_gpu.py
    python scripts/check_gpu.py --minutes 8 --markdown docs/benchmarks_gpu.md --json gpu.json
    python scripts/check_gpu.py --device cpu --tiny          # the same on a CPU, on little work: what the tests run

Made for a bare machine: it needs CUDA, PyTorch and this checkout; neither nerfstudio nor this project need be
installed. What else a check needs (gsplat, with `nvcc` and a C++ compiler for its kernels; OpenCV; diffusers) is named
in one line where it is missing, and that check says so in its row. gsplat's kernels compile for minutes, so that begins
at once, and what does not need them is done meanwhile.

It ends by itself after --minutes, the most important checks done first, and keeps what it has: both files are written
again after every row. Every check runs in a process of its own: one that hangs, crashes or runs out of memory costs its
row alone. All weights are random. The exit code is 1 where anything failed or came out wrong; a row that was not run is
no failure.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent
# Neither need be installed; ahead of any other version that is.
sys.path[:0] = [str(SCRIPTS), str(SCRIPTS.parent)]

from _gpu.options import Options  # noqa: E402
from _gpu.session import run_session  # noqa: E402


def parse(arguments: list[str] | None = None) -> Options:
    """Read the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0, help="after which it ends (default 8)")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="what is checked (default cuda)")
    parser.add_argument("--tiny", action="store_true", help="on as little work as shows that everything runs")
    parser.add_argument("--only", nargs="+", default=[], metavar="WORD", help="jobs whose names contain a word")
    parser.add_argument("--markdown", type=Path, help="where to write the table")
    parser.add_argument("--json", type=Path, help="where to write every number, and the end of what a failure printed")
    values = parser.parse_args(arguments)
    if not values.minutes > 0:
        parser.error(f"--minutes must be a positive number, got {values.minutes}")
    return Options(values.device, values.tiny, values.minutes, tuple(values.only), values.markdown, values.json)


if __name__ == "__main__":
    sys.exit(run_session(parse()))
