"""The network against arrays of the published code."""

from __future__ import annotations

import copy
import json
import time

import numpy as np
import pytest
import torch

from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.splats import KeyframeSplats, keyframe_splats
from neoverse_ns.reconstruct.feedforward.lift import to_dynamic_gaussians
from neoverse_ns.weights.digest import RELEASED_RECONSTRUCTOR, identity
from tests.networks.neoverse.fixtures import load
from tests.shared import shared_file

CASES = ("tiny_dynamic", "tiny_static", "vits_dynamic")
NAMES = {"camera_poses": "c2w", "camera_intrs": "K"}
TOLERANCE = 1e-5


def relative_error(value: np.ndarray, expected: np.ndarray) -> float:
    assert value.shape == expected.shape
    largest = np.abs(expected).max()
    return float(np.abs(value - expected).max() / largest) if largest else float(np.abs(value).max())


def splats_of(name: str) -> list[KeyframeSplats]:
    case, _, network, images = load(name)
    with torch.no_grad():
        predictions = network(images, is_static=case["is_static"], use_motion=case["use_motion"])
        return keyframe_splats(predictions, images, torch.tensor([case["timestamps"]]), case["is_static"])[0]


def test_keys_and_shapes_of_the_released_network() -> None:
    expected = json.loads(shared_file("fixtures/reconstructor_keys.json").read_text())
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


@pytest.mark.parametrize("name", CASES)
def test_small_networks_have_the_published_keys(name: str) -> None:
    case, _, network, _ = load(name)
    assert {key: list(value.shape) for key, value in network.state_dict().items()} == case["keys"]


@pytest.mark.parametrize("name", CASES)
def test_every_predicted_map(name: str) -> None:
    case, expected, network, images = load(name)
    with torch.no_grad():
        predictions = network(images, is_static=case["is_static"], use_motion=case["use_motion"])
    maps = {key: value for key, value in expected.items() if not key.startswith(("gaussians.", "rendered_"))}
    tensors = predictions.tensors()
    assert {NAMES.get(key, key) for key in maps} == set(tensors) - {"gs_params"}
    for key, value in maps.items():
        mine = tensors[NAMES.get(key, key)].numpy()
        assert relative_error(mine.reshape(value.shape), value) < TOLERANCE, key


@pytest.mark.parametrize("name", CASES)
def test_double_precision_agrees_with_the_published_single_precision(name: str) -> None:
    """Rounding is all that the errors consist of: no term is approximated."""
    case, expected, network, images = load(name)
    with torch.no_grad():
        exact = copy.deepcopy(network).double()(images.double(), None, case["is_static"], case["use_motion"])
    for key in ("camera_params", "depth", "pts3d", "gs_depth"):
        value = exact.tensors()[key]
        assert value.dtype == torch.float64
        assert relative_error(value.numpy().reshape(expected[key].shape), expected[key]) < 5e-6, key


@pytest.mark.parametrize("name", ["tiny_dynamic", "vits_dynamic"])
def test_gaussians_of_every_keyframe(name: str) -> None:
    _, expected, _, _ = load(name)
    splats = splats_of(name)
    arrays = [key for key in expected if key.startswith("gaussians.")]
    assert len(splats) == 1 + max(int(key.split(".")[1]) for key in arrays)
    for key in arrays:
        _, number, field = key.split(".")
        assert relative_error(np.asarray(getattr(splats[int(number)], field)), expected[key]) < TOLERANCE, key
    for part, number in zip(splats, range(len(splats)), strict=True):
        for field in ("forward_timestamp", "forward_vel", "backward_timestamp", "backward_rotations"):
            assert (getattr(part, field) is None) == (f"gaussians.{number}.{field}" not in expected), (number, field)


def test_merged_gaussians_of_a_static_clip() -> None:
    _, expected, _, _ = load("tiny_static")
    (part,) = splats_of("tiny_static")
    reference = {
        key.removeprefix("gaussians.0."): value for key, value in expected.items() if key.startswith("gaussians.")
    }
    assert part.timestamp == reference["timestamp"]
    assert part.life_span == reference["life_span"]
    assert part.life_span_gamma == reference["life_span_gamma"]
    assert part.means.shape == reference["means"].shape
    # A centre within rounding of a voxel's side may sort into the next voxel, so that rows are paired by place.
    distance = torch.cdist(torch.from_numpy(reference["means"]).double(), part.means.double())
    nearest = distance.argmin(1)
    assert len(set(nearest.tolist())) == len(part)
    assert (nearest.diff() < 0).sum() <= 2
    for field in ("means", "harmonics", "opacities", "scales", "rotations", "confidences"):
        mine = getattr(part, field)[nearest].numpy()
        assert relative_error(mine, reference[field]) < TOLERANCE, field


def test_flat_gaussians_move_as_published() -> None:
    """The flat struct at a time between two keyframes, against the definition applied to the published arrays."""
    case, expected, _, _ = load("tiny_dynamic")
    timestamps = torch.tensor(case["timestamps"])
    gaussians = to_dynamic_gaussians(splats_of("tiny_dynamic"), timestamps)
    for frame_number, alive in ((2.0, (0, 1)), (4.5, (1, 2)), (3.0, (1,)), (0.0, (0,)), (9.0, (3,))):
        now = at_time(gaussians, frame_number / 9)
        means, opacities = [], []
        for number in alive:
            one = {
                key.split(".")[2]: value for key, value in expected.items() if key.startswith(f"gaussians.{number}.")
            }
            side = "forward" if frame_number > one["timestamp"] else "backward"
            if frame_number == one["timestamp"]:
                x, step = 0.0, 0.0
            else:
                x = abs(frame_number - one["timestamp"]) / abs(one[f"{side}_timestamp"] - one["timestamp"])
                step = x * one[f"{side}_vel"]
            means.append(one["means"] + step)
            opacities.append(one["opacities"] * np.exp(-10 * x ** (1 / (1 - one["life_span"] + 1e-6))))
        assert relative_error(now.means.numpy(), np.concatenate(means)) < 1e-5
        assert relative_error(now.opacities.numpy(), np.concatenate(opacities)) < 1e-4
