"""Written data sets are recognised, and a clip's own folder is as good as that of the whole set."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from neoverse_ns.training.data.sets.detect import detect
from neoverse_ns.training.data.sets.registry import data_set
from tests.training.data.sets import (
    test_dynamic_replica,
    test_hypersim,
    test_movi_f,
    test_point_odyssey,
    test_spring,
)
from tests.training.data.sets.known_tracks import tracks_of
from tests.training.data.sets.known_world import known_world

WRITERS: list[tuple[str, Callable[[Path], Path]]] = [
    ("dynamic_replica", lambda folder: _replica(folder)),
    ("hypersim", test_hypersim.write),
    ("movi_f", test_movi_f.write),
    ("point_odyssey", lambda folder: test_point_odyssey.write(folder, known_world(askew=True), step=4)),
    ("spring", lambda folder: test_spring.write(folder, known_world(askew=True))),
]


def _replica(folder: Path) -> Path:
    world = known_world(askew=True)
    return test_dynamic_replica.write(folder, world, tracks_of(world, step=4))


@pytest.mark.parametrize(("name", "write"), WRITERS)
def test_a_folder_is_recognised_from_above_and_from_within(
    tmp_path: Path, name: str, write: Callable[[Path], Path]
) -> None:
    root = tmp_path / "downloads" / "set"
    root.mkdir(parents=True)
    clip = write(root)
    alone = clip if name in ("hypersim", "point_odyssey", "spring") else clip.parent
    (row,) = data_set(name).find(root)
    for folder in (tmp_path, root, alone):
        assert detect(folder) == name
    for folder in (root, alone):
        if name == "hypersim":
            # Its table of projections lies beside the scenes.
            assert (alone.parent / "metadata_camera_parameters.csv").is_file()
        (found,) = data_set(name).find(folder)
        assert (found.frames, found.split, found.width) == (row.frames, row.split, row.width)
        frame = data_set(name).open(folder, found).frame(found.frames - 1)
        assert frame.depth is not None
        assert frame.depth.shape == frame.rgb.shape[:2]
