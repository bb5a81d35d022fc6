"""The parts between the network and the scene, each against a closed form, and what is refused."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from neoverse_ns.errors import ReconstructionError, SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import project, unproject
from neoverse_ns.geometry.se3 import se3_exp
from neoverse_ns.reconstruct.bundle.depth.keyframe_depth import gather_views
from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig
from neoverse_ns.reconstruct.depth_anything.held_out import merge_cameras
from neoverse_ns.reconstruct.depth_anything.motion import common_lens
from neoverse_ns.reconstruct.depth_anything.predict import ViewPredictions, predict_views
from neoverse_ns.reconstruct.depth_anything.report import describe_cameras
from neoverse_ns.reconstruct.depth_anything.surfaces import full_size_depth
from neoverse_ns.reconstruct.depth_anything.things import behind, with_links
from neoverse_ns.reconstruct.split import FrameSplit

CONFIG = DepthAnythingConfig()


def _cameras(count: int, seed: int = 0, move: float = 0.1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return se3_exp(move * torch.randn(count, 6, generator=generator, dtype=torch.float64))


def test_a_common_lens_sees_what_every_frames_own_lens_sees() -> None:
    """Exact flow between frames of different focal lengths and centres leaves no residual, at the true depth only."""
    height, width = 12, 16
    K = torch.eye(3).repeat(2, 1, 1)
    K[:, 0, 0], K[:, 1, 1] = torch.tensor([14.0, 17.0]), torch.tensor([15.0, 16.0])
    K[:, 0, 2], K[:, 1, 2] = torch.tensor([7.0, 9.0]), torch.tensor([6.5, 5.0])
    cameras = PinholeCameras(_cameras(2).float(), K, width, height)
    depth = 1 + torch.rand(height, width, generator=torch.Generator().manual_seed(1))
    points = unproject(depth, K[0], cameras.c2w[0]).reshape(-1, 3)
    there, z = project(points, cameras.viewmats[1], K[1])
    assert bool((z > 0).all())
    here, _ = project(points, cameras.viewmats[0], K[0])
    flow = (there - here).reshape(height, width, 2).numpy()
    focal, viewmats = common_lens(cameras)
    views = gather_views(FlowField({(0, 1): flow}, {(0, 1): np.ones_like(flow[..., 0])}), 0, viewmats, focal)
    assert views is not None
    assert float(views.linearise(1 / depth)[0].abs().max()) < 1e-4
    assert float(views.linearise(1 / (1.2 * depth))[0].norm(dim=1).median()) > 0.05


def test_behind_what_moves_lies_what_is_around_it() -> None:
    """Inverse depth of a floor is even; a thing before it leaves no trace, and a frame full of it nothing else."""
    inverse = torch.linspace(0.1, 1.0, 32)[:, None].expand(32, 48)
    moving = torch.zeros(2, 32, 48, dtype=torch.bool)
    moving[0, 10:16, 20:26] = True
    moving[1] = True
    depth = torch.where(moving, 0.5, 1 / inverse)
    found = behind(depth, moving)
    assert torch.equal(found[~moving], depth[~moving])
    torch.testing.assert_close(1 / found[0], inverse, atol=0.08, rtol=0)
    assert torch.equal(found[1], depth[1])


def test_keyframes_that_lie_far_apart_are_linked_by_those_between() -> None:
    pairs = [(0, 2), (2, 4), (2, 0), (4, 2), (0, 9)]
    steps = {(i, j): np.full((8, 10, 2), j - i, np.float32) for i, j in pairs}
    field = FlowField(steps, {pair: np.full((8, 10), 0.5, np.float32) for pair in pairs})
    linked = with_links(field, [0, 2, 4, 9], [0, 4, 9])
    assert set(linked.pairs) == {*pairs, (0, 4), (4, 0)}
    assert np.all(linked.flow[0, 4] == 4)
    assert np.all(linked.flow[4, 0] == -4)
    assert linked.confidence[0, 4][0, 0] == pytest.approx(0.25)


def _predictions(c2w: torch.Tensor, unit: float, focal: torch.Tensor) -> ViewPredictions:
    """Cameras in a world of another unit, with depth that only depends on the frame."""
    c2w = c2w.clone()
    c2w[:, :3, 3] *= unit
    K = torch.eye(3).repeat(len(c2w), 1, 1)
    K[:, 0, 0] = K[:, 1, 1] = focal
    depth = unit * (1 + torch.arange(len(c2w)).float())[:, None, None].expand(-1, 3, 4)
    return ViewPredictions(c2w.float(), K, depth, torch.full_like(depth, 0.5))


def test_held_out_cameras_stand_between_their_neighbours() -> None:
    split = FrameSplit(train=[0, 1, 3, 4], held_out=[2], keyframes=[0, 4])
    c2w = _cameras(5, move=0.3)
    everything = _predictions(c2w, 1.0, torch.full((5,), 100.0))
    scene = _predictions(c2w[split.train], 3.0, torch.full((4,), 100.0))
    scene = ViewPredictions(scene.c2w, scene.K, 3 * everything.depth[split.train], scene.confidence)
    world = se3_exp(torch.tensor([1.0, 2.0, 3.0, 0.4, 0.5, 0.6], dtype=torch.float64))
    moved = ViewPredictions((world @ everything.c2w.double()).float(), everything.K, everything.depth,
                            everything.confidence)  # fmt: skip
    found, K = merge_cameras(scene, moved, split)
    expected = c2w.clone()
    expected[:, :3, 3] *= 3
    torch.testing.assert_close(found, expected.float(), atol=1e-5, rtol=0)
    torch.testing.assert_close(K, everything.K)


def test_held_out_cameras_follow_what_differs_around_them() -> None:
    """Both neighbours stand 0.2 farther along their own x axis, with a lens 10 and 21 % longer: so does the frame."""
    split = FrameSplit(train=[0, 1, 3, 4], held_out=[2], keyframes=[0, 4])
    c2w = torch.eye(4, dtype=torch.float64).repeat(5, 1, 1)
    c2w[:, 2, 3] = torch.arange(5)
    everything = _predictions(c2w, 1.0, torch.full((5,), 100.0))
    shifted = c2w[split.train].clone()
    shifted[1:3, 0, 3] += 0.2
    shifted[[0, 3], 0, 3] -= 0.2
    scene = _predictions(shifted, 1.0, torch.tensor([100.0, 110.0, 121.0, 100.0]))
    scene = ViewPredictions(scene.c2w, scene.K, everything.depth[split.train], scene.confidence)
    found, K = merge_cameras(scene, everything, split)
    torch.testing.assert_close(found[2, :3, 3], torch.tensor([0.2, 0.0, 2.0]), atol=1e-5, rtol=0)
    torch.testing.assert_close(found[split.train], scene.c2w)
    assert float(K[2, 0, 0]) == pytest.approx(100 * math.sqrt(1.1 * 1.21), rel=1e-5)
    assert float(K[2, 2, 2]) == 1


@pytest.mark.parametrize(
    ("path", "kind"), [("forward", "parallax"), ("turning", "rotation"), ("still", "static"), ("single", "single")]
)
def test_kinds_of_movement(path: str, kind: str) -> None:
    twists = torch.zeros(1 if path == "single" else 6, 6, dtype=torch.float64)
    twists[:, {"forward": 2, "turning": 4}.get(path, 0)] = torch.linspace(0, 0.3, len(twists)) * (path != "still")
    K = torch.tensor([[100.0, 0, 50], [0, 100, 40], [0, 0, 1]]).repeat(len(twists), 1, 1)
    facts = describe_cameras(PinholeCameras(se3_exp(twists).float(), K, 100, 80), torch.ones(1, 4, 4))
    assert facts["kind"] == kind
    assert facts["fov_degrees"] == pytest.approx(math.degrees(2 * math.atan(0.5)))
    extent = 0.3 if path == "forward" else 0.0
    assert facts["parallax_degrees"] == pytest.approx(math.degrees(2 * math.atan(extent / 2)), abs=1e-3)


def test_depth_edges_go_where_the_image_has_them() -> None:
    """The network's edge lies at column 30, that of the colours at 31; nothing midway is left between the surfaces."""
    image = torch.zeros(1, 40, 60, 3, dtype=torch.uint8)
    image[:, :, 31:] = 200
    depth = torch.full((1, 20, 30), 1.0)
    depth[:, :, 15:] = 3.0
    found, confidence = full_size_depth(depth, torch.full_like(depth, 0.8), image)
    assert found.shape == confidence.shape == (1, 40, 60)
    assert float(found[0, :, :31].max()) < 1.25
    assert float(found[0, :, 31:].min()) > 2.7
    torch.testing.assert_close(confidence[0, 20, [5, 55]], torch.tensor([0.8, 0.8]))
    assert float(confidence[0, 20, 31]) < 0.5


def _answer(**changes: object) -> SimpleNamespace:
    """What a network might say about two frames of 28 x 20 that it saw at 56 x 42."""
    K = np.array([[50.0, 0, 28], [0, 48, 21], [0, 0, 1]], np.float32)
    said = {
        "depth": np.full((2, 42, 56), 2.0, np.float32),
        "conf": np.full((2, 42, 56), 5.0, np.float32),
        "extrinsics": np.stack([np.eye(4, dtype=np.float32)] * 2),
        "intrinsics": np.stack([K] * 2),
    }
    return SimpleNamespace(**{**said, **changes})


def _predict(answer: SimpleNamespace) -> ViewPredictions:
    network = SimpleNamespace(inference=lambda image, **_: answer)
    return predict_views(network, torch.zeros(2, 20, 28, 3, dtype=torch.uint8), CONFIG)[0]


def test_conventions_of_what_the_network_says() -> None:
    w2c = torch.linalg.inv(_cameras(2)).float().numpy()
    found = _predict(_answer(extrinsics=w2c))
    torch.testing.assert_close(found.c2w, _cameras(2).float(), atol=1e-6, rtol=0)
    # 3 x 4 matrices mean the same; without confidence everything is trusted.
    torch.testing.assert_close(_predict(_answer(extrinsics=w2c[:, :3])).c2w, found.c2w)
    assert bool((_predict(_answer(conf=None)).confidence == 1).all())
    expected = torch.tensor([[25.0, 0, 14], [0, 48 * 20 / 42, 10], [0, 0, 1]])
    torch.testing.assert_close(found.K[1], expected)
    # 1 + exp(x) becomes the logistic function of x.
    torch.testing.assert_close(found.confidence[0, 0, 0], torch.tensor(math.log(4.0)).sigmoid())


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"extrinsics": None, "intrinsics": None}, SettingsError, "no cameras"),
        ({"depth": np.full((2, 42, 56), np.nan, np.float32)}, ReconstructionError, "not finite"),
        ({"depth": np.zeros((2, 42, 56), np.float32)}, ReconstructionError, "not finite"),
        ({"intrinsics": np.stack([np.diag([6e7, 50, 1]).astype(np.float32)] * 2)}, ReconstructionError, "0 degrees"),
    ],
)
def test_nonsense_is_refused(changes: dict, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        _predict(_answer(**changes))


def test_running_out_of_memory_says_what_to_lower() -> None:
    def inference(image: list, **_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    network = SimpleNamespace(inference=inference)
    with pytest.raises(ReconstructionError, match=r"2 frames at once.*da3\.window"):
        predict_views(network, torch.zeros(2, 20, 28, 3, dtype=torch.uint8), CONFIG)


def test_random_numbers_of_the_caller_are_left_alone() -> None:
    drawn = []

    def inference(image: list, **_: object) -> SimpleNamespace:
        drawn.append(float(torch.rand(())))
        return _answer()

    network = SimpleNamespace(inference=inference)
    frames = torch.zeros(2, 20, 28, 3, dtype=torch.uint8)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    predict_views(network, frames, CONFIG)
    assert torch.equal(torch.rand(3), expected)
    predict_views(network, frames, CONFIG)
    assert drawn[0] == drawn[1]


@pytest.mark.parametrize(
    "change",
    [
        {"model": ""},
        {"process_resolution": 20},
        {"window": 1},
        {"overlap": 0},
        {"window": 8, "overlap": 8},
        {"gaps": (2, 4)},
        {"depth_error": 0.0},
        {"flow_noise": math.nan},
        {"seed": -1},
    ],
)
def test_settings_out_of_range(change: dict) -> None:
    with pytest.raises(SettingsError, match=r"da3\."):
        DepthAnythingConfig(**change).validate()
