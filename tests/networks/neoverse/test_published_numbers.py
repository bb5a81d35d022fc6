"""The network against arrays of the published code."""

from __future__ import annotations

import copy
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.splats import KeyframeSplats, keyframe_splats
from neoverse_ns.reconstruct.feedforward.lift import to_dynamic_gaussians
from neoverse_ns.weights.digest import RELEASED_RECONSTRUCTOR, identity
from tests.fixtures.published import FOLDERS, REDUCED, read_json
from tests.networks.neoverse.fixtures import load

CASES = ("tiny_dynamic", "tiny_static", "vits_dynamic")
NAMES = {"camera_poses": "c2w", "camera_intrs": "K"}
TOLERANCE = 1e-5


in_every_folder = pytest.mark.parametrize("folder", FOLDERS)


def relative_error(value: np.ndarray, expected: np.ndarray) -> float:
    assert value.shape == expected.shape
    return float(np.abs(value - expected).max() / np.abs(expected).max())


def splats_of(folder: Path, name: str) -> list[KeyframeSplats]:
    case, _, network, images = load(folder, name)
    with torch.no_grad():
        predictions = network(images, is_static=case["is_static"], use_motion=case["use_motion"])
        return keyframe_splats(predictions, images, torch.tensor([case["timestamps"]]), case["is_static"])[0]


def test_keys_and_shapes_of_the_released_network() -> None:
    expected = read_json(REDUCED, "reconstructor_keys")
    begun = time.process_time()
    with torch.device("meta"):
        network = NeoVerseNetwork()
    seconds = time.process_time() - begun
    shapes = {key: list(value.shape) for key, value in network.state_dict().items()}
    assert shapes == expected
    assert identity(shapes) == RELEASED_RECONSTRUCTOR
    assert identity({**shapes, "cam_head.init_token": [1, 1, 7]}) != RELEASED_RECONSTRUCTOR
    assert all(value.is_meta for value in network.state_dict().values())
    # Initialising on the meta device takes twenty seconds; building without takes a quarter.
    assert seconds < 3


@in_every_folder
@pytest.mark.parametrize("name", CASES)
def test_small_networks_have_the_published_keys(name: str, folder: Path) -> None:
    case, _, network, _ = load(folder, name)
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == case["keys"]


@in_every_folder
@pytest.mark.parametrize("name", CASES)
def test_every_predicted_map(name: str, folder: Path) -> None:
    case, expected, network, images = load(folder, name)
    with torch.no_grad():
        predictions = network(images, is_static=case["is_static"], use_motion=case["use_motion"])
    maps = {key: value for key, value in expected.items() if not key.startswith(("gaussians.", "rendered_"))}
    tensors = predictions.tensors()
    assert {NAMES.get(key, key) for key in maps} == set(tensors) - {"gs_params"}
    for key, value in maps.items():
        mine = tensors[NAMES.get(key, key)].numpy()
        assert value.error(mine.reshape(value.shape)) < TOLERANCE, key


@in_every_folder
@pytest.mark.parametrize("name", CASES)
def test_double_precision_agrees_with_the_published_single_precision(name: str, folder: Path) -> None:
    """Rounding is all that the errors consist of: no term is approximated."""
    case, expected, network, images = load(folder, name)
    with torch.no_grad():
        exact = copy.deepcopy(network).double()(images.double(), None, case["is_static"], case["use_motion"])
    for key in ("camera_params", "depth", "pts3d", "gs_depth"):
        value = exact.tensors()[key]
        assert value.dtype == torch.float64
        assert expected[key].error(value.numpy().reshape(expected[key].shape)) < 5e-6, key


@in_every_folder
@pytest.mark.parametrize("name", ["tiny_dynamic", "vits_dynamic"])
def test_gaussians_of_every_keyframe(name: str, folder: Path) -> None:
    _, expected, _, _ = load(folder, name)
    splats = splats_of(folder, name)
    arrays = [key for key in expected if key.startswith("gaussians.")]
    assert len(splats) == 1 + max(int(key.split(".")[1]) for key in arrays)
    for key in arrays:
        _, number, field = key.split(".")
        assert expected[key].error(np.asarray(getattr(splats[int(number)], field))) < TOLERANCE, key
    for part, number in zip(splats, range(len(splats)), strict=True):
        for field in ("forward_timestamp", "forward_vel", "backward_timestamp", "backward_rotations"):
            assert (getattr(part, field) is None) == (f"gaussians.{number}.{field}" not in expected), (number, field)


@in_every_folder
def test_merged_gaussians_of_a_static_clip(folder: Path) -> None:
    _, expected, _, _ = load(folder, "tiny_static")
    (part,) = splats_of(folder, "tiny_static")
    reference = {
        key.removeprefix("gaussians.0."): value for key, value in expected.items() if key.startswith("gaussians.")
    }
    for field in ("timestamp", "life_span", "life_span_gamma"):
        assert getattr(part, field) == reference[field].whole, field
    # A centre within rounding of a voxel's side may sort into the next voxel, so that rows are paired by place.
    published = torch.from_numpy(reference["means"].sample).double()
    nearest = torch.cdist(published, part.means.double()).argmin(1)
    assert len(set(nearest.tolist())) == len(published)
    assert (nearest.diff() < 0).sum() <= 2
    for field in ("means", "harmonics", "opacities", "scales", "rotations", "confidences"):
        mine = getattr(part, field).numpy()
        assert reference[field].error(mine, rows=nearest.numpy()) < TOLERANCE, field


@in_every_folder
def test_flat_gaussians_move_as_published(folder: Path) -> None:
    """The flat struct at a time between two keyframes, against the definition applied to the published arrays."""
    case, expected, _, _ = load(folder, "tiny_dynamic")
    timestamps = torch.tensor(case["timestamps"])
    gaussians = to_dynamic_gaussians(splats_of(folder, "tiny_dynamic"), timestamps)
    for frame_number, alive in ((2.0, (0, 1)), (4.5, (1, 2)), (3.0, (1,)), (0.0, (0,)), (9.0, (3,))):
        now = at_time(gaussians, frame_number / 9)
        means, opacities, rows, first = [], [], [], 0
        for number in alive:
            prefix = f"gaussians.{number}."
            one = {key.removeprefix(prefix): a.sample for key, a in expected.items() if key.startswith(prefix)}
            published = expected[prefix + "means"]
            rows.append(first + np.arange(0, published.shape[0], published.stride))
            first += published.shape[0]
            side = "forward" if frame_number > one["timestamp"] else "backward"
            if frame_number == one["timestamp"]:
                x, step = 0.0, 0.0
            else:
                x = abs(frame_number - one["timestamp"]) / abs(one[f"{side}_timestamp"] - one["timestamp"])
                step = x * one[f"{side}_vel"]
            means.append(one["means"] + step)
            opacities.append(one["opacities"] * np.exp(-10 * x ** (1 / (1 - one["life_span"] + 1e-6))))
        assert now.means.shape == (first, 3)
        kept = np.concatenate(rows)
        assert relative_error(now.means.numpy()[kept], np.concatenate(means)) < 1e-5
        assert relative_error(now.opacities.numpy()[kept], np.concatenate(opacities)) < 1e-4
