"""A source whose folder does not depend on where a command is typed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from neoverse_ns.plugin.benchmark.source import BenchmarkSource


def located(source: BenchmarkSource, data: Path | None) -> BenchmarkSource:
    """The same with an absolute folder, checked as far as can be without reading any picture.

    Args:
        source: As typed.
        data: What --data names ahead of the source's own word; used where `source` has none.

    Raises:
        SettingsError, ClipError: See :func:`neoverse_ns.plugin.benchmark.opened.open_benchmark`.
    """
    # Layouts and protocols are nothing that other ns-* commands should pay for.
    from neoverse_ns.plugin.benchmark.opened import open_benchmark

    folder = source.data or data
    found = source if folder is None else replace(source, data=Path(folder).expanduser().absolute())
    open_benchmark(found)
    return found
