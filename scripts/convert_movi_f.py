"""Write MOVi-F's records as plain archives that training reads, with the package tensorflow_datasets.

    pip install tensorflow tensorflow_datasets
    python scripts/convert_movi_f.py movi_f
    python scripts/convert_movi_f.py movi_f --splits train --first 0 --count 500

It reads from Kubric's public bucket, or from a folder that its tfds/ was copied to. Examples that are there already
stay as they are, so that a conversion that was cut off goes on where it stopped.
"""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import tyro

from neoverse_ns.console import progress, say
from neoverse_ns.errors import NeoVerseError, PackageError
from neoverse_ns.training.data.sets.movi_f_export import export_example


@dataclass
class ConvertMoviF:
    """Write examples of MOVi-F as OUTPUT/SPLIT/NUMBER.npz."""

    output: tyro.conf.Positional[Path]
    """Folder to write into."""
    records: str = "gs://kubric-public/tfds"
    """Folder or bucket of the TFDS records."""
    size: Literal[128, 256, 512] = 512
    """Pixels of a side."""
    splits: tuple[str, ...] = ("train", "validation")
    """Which to convert."""
    first: int = 0
    """Number of the first example of each split."""
    count: int | None = None
    """How many examples of each split; all by default."""
    flow: bool = False
    """Keep forward flow too, which training does not need."""


def convert(options: ConvertMoviF, split: str) -> int:
    """Write the examples of one split that are not there yet; returns how many."""
    tfds = _tfds()
    builder = tfds.builder(f"movi_f/{options.size}x{options.size}", data_dir=options.records)
    total = builder.info.splits[split].num_examples
    last = total if options.count is None else min(total, options.first + options.count)
    folder = options.output / split
    folder.mkdir(parents=True, exist_ok=True)
    examples = tfds.as_numpy(builder.as_dataset(split=f"{split}[{options.first}:{last}]", shuffle_files=False))
    written = 0
    with progress(f"converting {split}", max(last - options.first, 0)) as steps:
        for number, example in enumerate(examples, start=options.first):
            path = folder / f"{number:05d}.npz"
            if not path.exists():
                export_example(example, path, options.flow)
                written += 1
            steps.advance()
    return written


def _tfds() -> Any:
    try:
        return importlib.import_module("tensorflow_datasets")
    except ImportError as error:
        raise PackageError(
            "MOVi-F's records need the packages tensorflow and tensorflow_datasets: "
            "pip install tensorflow tensorflow_datasets"
        ) from error


def main() -> int:
    options = tyro.cli(ConvertMoviF, description=__doc__)
    try:
        for split in options.splits:
            say(f"wrote {convert(options, split)} examples into {options.output / split}")
    except NeoVerseError as error:
        say(f"Error: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
