"""The process of a job: its cases one after the other, a row each. Started by `worker.py`, with an order as a file."""

from __future__ import annotations

import gc
import importlib
import json
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from _gpu.options import Settings
from _gpu.rows import Row, one_line

LOG_LINES = 60
FRESH = 86
"""Exit code of a process that has written the row of its last case, and leaves the next one to a fresh process."""


def main(order_file: Path) -> int:
    """Run an order; returns the exit code."""
    order: dict[str, Any] = json.loads(order_file.read_text("utf8"))
    settings = Settings(**order["settings"])
    if not settings.gsplat:
        # Importing its kernels would begin to build them, under the hands of the process that already does.
        sys.modules["gsplat"] = None  # type: ignore[assignment]
    with Path(order["rows"]).open("a", encoding="utf8") as rows:
        for case in order["cases"]:
            row, go_on = _run(order["module"], case, settings)
            rows.write(row.to_json() + "\n")
            rows.flush()
            if not go_on:
                return FRESH
    return 0


def _run(module: str, case: dict[str, Any], settings: Settings) -> tuple[Row, bool]:
    """The row of a case, and whether this process is fit for another one."""
    started = time.perf_counter()
    try:
        finding = importlib.import_module(module).measure(settings, **case["arguments"])
        return Row.of(case["name"], finding, time.perf_counter() - started), True
    except Exception as error:
        log = "\n".join(traceback.format_exc().splitlines()[-LOG_LINES:])
        reason = f"{type(error).__name__}: {one_line(str(error))}"
        # After an error inside a kernel every further call to the device fails.
        go_on = _is_harmless(error)
    _free_memory()
    return Row(case["name"], "failed", reason, time.perf_counter() - started, {}, log), go_on


def _is_harmless(error: Exception) -> bool:
    """Whether the device is as it was: memory that ran out, a missing library, a setting."""
    return any(kind.__name__ in ("OutOfMemoryError", "ImportError", "NeoVerseError") for kind in type(error).__mro__)


def _free_memory() -> None:
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.empty_cache()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
