"""ns-render and ns-export: every kind, on the run that ns-train made."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from nerfstudio.data.dataparsers.nerfstudio_dataparser import NerfstudioDataParserConfig
from plyfile import PlyData

from neoverse_ns.gaussians.layers import FRAMES as FRAMES_LAYER
from neoverse_ns.gaussians.layers import LayeredGaussians
from neoverse_ns.gaussians.transition import alive_at
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.projection import unproject
from neoverse_ns.reconstruct.store import load_scene
from neoverse_ns.trajectory.camera_path import to_camera_path
from tests.e2e.commands import both, changes, read_video
from tests.e2e.conftest import FRAMES, HEIGHT, HELD_OUT, WIDTH, TrainedRun

PATH_FRAMES = 7


def original_cameras(run: TrainedRun) -> PinholeCameras:
    return load_scene(run.folder / "scene").geometry.cameras


def nerfstudio_c2w(run: TrainedRun) -> torch.Tensor:
    """Cameras in the run's world, OpenCV axes: the first camera's x, z, -y become x, y, z."""
    turn = torch.tensor([[1.0, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1]])
    return turn @ original_cameras(run).c2w


@pytest.fixture(scope="module")
def rendered(run: TrainedRun) -> Path:
    """Folder with `path.mp4` (time runs, the camera stands), `interpolate.mp4`, `spiral.mp4` and `dataset/`."""
    shell, folder = run.shell, run.shell.folder / "renders"
    folder.mkdir()
    cameras = original_cameras(run)
    standing = nerfstudio_c2w(run)[FRAMES // 2].expand(PATH_FRAMES, 4, 4)
    document = to_camera_path(
        standing, cameras.K[:1].expand(PATH_FRAMES, 3, 3), torch.linspace(0, 1, PATH_FRAMES), WIDTH, HEIGHT, 8.0
    )
    (folder / "path.json").write_text(json.dumps(document), "utf8")
    load = ("--load-config", run.config, "--output-path")
    both(
        lambda: shell.succeed(
            "ns-render", "camera-path", *load, folder / "path.mp4", "--camera-path-filename", folder / "path.json"
        ),
        lambda: shell.succeed(
            *("ns-render", "interpolate", *load, folder / "interpolate.mp4"),
            *("--interpolation-steps", "3", "--rendered-output-names", "rgb", "depth"),
        ),
        lambda: shell.succeed(
            "ns-render", "spiral", *load, folder / "spiral.mp4", "--seconds", "1", "--frame-rate", "6"
        ),
        lambda: shell.succeed(
            "ns-render", "dataset", *load, folder / "dataset", "--split", "train+test", "--image-format", "png"
        ),
    )
    return folder


def test_camera_path_plays_the_clip_before_a_standing_camera(run: TrainedRun, rendered: Path) -> None:
    video = read_video(rendered / "path.mp4")
    assert video.shape == (PATH_FRAMES, HEIGHT, WIDTH, 3)
    # Nothing but time changes here, so whatever differs has moved by itself.
    assert (changes(video) > 0.3).all()
    middle = run.frames[FRAMES // 2].astype(np.float32)
    errors = np.abs(video.astype(np.float32) - middle).mean(axis=(1, 2, 3))
    assert errors.argmin() == PATH_FRAMES // 2
    assert errors.min() < 12


def panorama_path(run: TrainedRun, kind: str, width: int, height: int) -> Path:
    """A camera path of nerfstudio's for a camera of type `kind`: two moments from the middle frame's camera."""
    cameras, middle = original_cameras(run), FRAMES // 2
    document = to_camera_path(
        nerfstudio_c2w(run)[middle].expand(2, 4, 4),
        cameras.K[:1].expand(2, 3, 3),
        torch.tensor([0.5, 1.0]),
        width,
        height,
        8.0,
    )
    path = run.shell.folder / f"{kind}.json"
    path.write_text(json.dumps(document | {"camera_type": kind}), "utf8")
    return path


def test_panorama_and_stereo_pair_show_the_scene_where_it_lies(run: TrainedRun) -> None:
    shell, width, height = run.shell, 1024, 512
    load = ("ns-render", "camera-path", "--load-config", run.config, "--camera-path-filename")
    paths = {
        kind: panorama_path(run, kind, size, height) for kind, size in (("equirectangular", width), ("vr180", height))
    }
    both(
        *(
            lambda kind=kind, path=path: shell.succeed(*load, path, "--output-path", f"{kind}.mp4")
            for kind, path in paths.items()
        )
    )
    K, middle = original_cameras(run).K[0], FRAMES // 2
    # Where each pixel of the clip's frame lies in the panorama: longitude across, latitude down.
    rays = unproject(torch.ones(HEIGHT, WIDTH), K, torch.eye(4))
    longitude, latitude = torch.atan2(rays[..., 0], rays[..., 2]), torch.asin(rays[..., 1] / rays.norm(dim=-1))
    row = ((latitude / math.pi + 0.5) * height).floor().long().numpy()
    column = ((longitude / math.pi + 1) * width / 2).floor().long().numpy()
    video = read_video(shell.folder / "equirectangular.mp4").astype(np.float32)
    assert video.shape == (2, height, width, 3)
    truth = run.frames[middle].astype(np.float32)
    assert np.abs(video[0, row, column] - truth).mean() < 15
    # Two pixels beside it would be 18, a mirrored picture 45.
    mirrored = np.abs(video[0, row, width - 1 - column] - truth).mean()
    assert mirrored > 2 * np.abs(video[0, row, column] - truth).mean()
    # Nothing of the scene lies behind.
    assert video[:, :, : width // 8].max() < 8
    pair = read_video(shell.folder / "vr180.mp4").astype(np.float32)
    assert pair.shape == (2, height, 2 * height, 3)
    left, right = pair[:, :, :height], pair[:, :, height:]
    # Half of the panorama each, from two places: nearly, but not quite alike.
    assert np.abs(left - video[:, :, width // 4 : 3 * width // 4]).mean() < 6
    assert np.abs(left - right).mean() > 1


def test_interpolate_moves_the_camera_and_stacks_outputs(rendered: Path) -> None:
    video = read_video(rendered / "interpolate.mp4")
    assert video.shape[1:] == (HEIGHT, 2 * WIDTH, 3)
    assert len(video) == 3 * (len(HELD_OUT) - 1)
    colour = video[:, :, :WIDTH]
    assert changes(colour).max() > 1
    assert colour.std() > 20


def test_spiral_circles_the_first_held_out_camera(rendered: Path) -> None:
    video = read_video(rendered / "spiral.mp4")
    assert video.shape == (6, HEIGHT, WIDTH, 3)
    assert changes(video).min() > 0.3


def test_dataset_draws_every_frame_beside_the_truth(run: TrainedRun, rendered: Path) -> None:
    from PIL import Image

    folder = rendered / "dataset"
    train = [i for i in range(FRAMES) if i not in HELD_OUT]
    for split, frames in (("train", train), ("test", list(HELD_OUT))):
        drawn, truth = (sorted((folder / split / name).rglob("*.png")) for name in ("rgb", "gt-rgb"))
        assert len(drawn) == len(truth) == len(frames)
        for frame, a, b in zip(frames, drawn, truth, strict=True):
            image, original = (np.asarray(Image.open(path), dtype=np.float32) for path in (a, b))
            assert image.shape == (HEIGHT, WIDTH, 3)
            # Only the codec lies between the clip and what was rendered.
            assert np.abs(original - run.frames[frame]).mean() < 4
            assert np.abs(image - original).mean() < 15


@pytest.fixture(scope="module")
def directed(run: TrainedRun) -> Path:
    """Folder with `own/` (the clip's own cameras, drawn by ns-neoverse render) and `plan.png` of an orbit."""
    folder = run.shell.folder / "directed"
    both(
        lambda: run.shell.succeed(
            *("ns-neoverse", "render", run.config, "--trajectory", "static", "--num-frames", str(FRAMES)),
            *("--depth", "npz", "--output", folder / "own"),
        ),
        lambda: run.shell.succeed(
            *("ns-neoverse", "trajectory", "preview", run.folder, "--trajectory", "orbit:degrees=40,pixel=90,60,3"),
            *("--num-frames", "9", "--output", folder / "plan.png"),
        ),
    )
    return folder


def test_our_render_draws_the_clips_own_cameras_as_ns_render_does(rendered: Path, directed: Path) -> None:
    from PIL import Image

    ours = sorted((directed / "own").glob("*.png"))
    assert len(ours) == FRAMES
    train = [i for i in range(FRAMES) if i not in HELD_OUT]
    for split, frames in (("train", train), ("test", list(HELD_OUT))):
        theirs = sorted((rendered / "dataset" / split / "rgb").rglob("*.png"))
        for frame, path in zip(frames, theirs, strict=True):
            a, b = (np.asarray(Image.open(file), dtype=np.int16) for file in (ours[frame], path))
            # Between the two worlds lies a rotation, which rounds; a few pixels at Gaussians' edges tell.
            assert (a != b).mean() < 1e-3, frame
            assert (np.abs(a - b) > 1).mean() < 3e-4, frame
    with np.load(directed / "own_depth.npz") as depth:
        assert depth["frame_00000"].shape == (HEIGHT, WIDTH)
        assert 0.5 < np.median(depth["frame_00000"]) < 2


def test_a_path_is_drawn_over_its_scene(directed: Path) -> None:
    from PIL import Image

    assert np.asarray(Image.open(directed / "plan.png")).std() > 10


@pytest.fixture(scope="module")
def exported(run: TrainedRun) -> Path:
    shell, folder = run.shell, run.shell.folder / "exports"
    load = ("--load-config", run.config, "--output-dir")
    both(
        lambda: shell.succeed("ns-export", "gaussian-splat", *load, folder / "splat"),
        lambda: shell.succeed(
            "ns-export", "pointcloud", *load, folder / "cloud", "--num-points", "3000", "--num-rays-per-batch", "2048"
        ),
        lambda: shell.succeed("ns-export", "cameras", *load, folder / "cameras"),
        lambda: shell.succeed(
            "ns-neoverse", "export", run.config, "--output-dir", folder / "dataset", "--format", "colmap"
        ),
    )
    return folder


def test_gaussian_splat_holds_what_lives_at_the_export_time(run: TrainedRun, exported: Path) -> None:
    vertex = PlyData.read(str(exported / "splat" / "splat.ply"))["vertex"]
    assert [p.name for p in vertex.properties][:3] == ["x", "y", "z"]
    scene = load_scene(run.folder / "scene")
    state = torch.load(max((run.folder / "nerfstudio_models").glob("step-*.ckpt")), weights_only=True)["pipeline"]
    prefix = "_model.optimisation.layers."
    scene_layers = LayeredGaussians.from_tensors(
        {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
    )
    alive = {name: int(alive_at(layer, 0.5).sum()) for name, layer in scene_layers.items()}
    # Half-way through the clip two keyframes' Gaussians are alive, those of one only at a keyframe itself. What they
    # hide of the layers behind them is left out, and so is what has faded.
    assert 0 < alive[FRAMES_LAYER] <= 2 * HEIGHT * WIDTH
    assert 0.5 * alive[FRAMES_LAYER] < len(vertex) < sum(alive.values())
    points = np.stack([vertex["x"], vertex["y"], vertex["z"]], axis=-1)
    assert np.isfinite(points).all()
    centre = nerfstudio_c2w(run)[FRAMES // 2]
    local = (points - centre[:3, 3].numpy()) @ centre[:3, :3].numpy()
    assert (local[:, 2] > 0).mean() > 0.95
    assert np.median(local[:, 2]) == pytest.approx(float(scene.geometry.depth.median()), rel=0.4)
    norms = np.linalg.norm(np.stack([vertex[f"rot_{i}"] for i in range(4)], axis=-1), axis=-1)
    assert np.isfinite(norms).all()
    assert (norms > 0).all()
    assert (vertex["scale_0"] < np.log(10)).all()


def test_pointcloud_lies_on_the_scene_and_faces_the_cameras(run: TrainedRun, exported: Path) -> None:
    vertex = PlyData.read(str(exported / "cloud" / "point_cloud.ply"))["vertex"]
    assert 2000 < len(vertex) < 8000
    points = np.stack([vertex[name] for name in "xyz"], axis=-1)
    normals = np.stack([vertex[f"n{name}"] for name in "xyz"], axis=-1)
    c2w = nerfstudio_c2w(run).numpy()
    local = (points - c2w[FRAMES // 2, :3, 3]) @ c2w[FRAMES // 2, :3, :3]
    K = original_cameras(run).K[0].numpy()
    u = local[:, 0] / local[:, 2] * K[0, 0] + K[0, 2]
    v = local[:, 1] / local[:, 2] * K[1, 1] + K[1, 2]
    inside = (u > -0.5 * WIDTH) & (u < 1.5 * WIDTH) & (v > -0.5 * HEIGHT) & (v < 1.5 * HEIGHT) & (local[:, 2] > 0)
    assert inside.mean() > 0.95
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1, atol=1e-3)
    toward = ((c2w[:, :3, 3].mean(axis=0) - points) * normals).sum(axis=-1)
    assert (toward > 0).mean() > 0.95
    colours = np.stack([vertex[name] for name in ("red", "green", "blue")], axis=-1)
    assert np.abs(colours.mean(axis=0) - run.frames.mean(axis=(0, 1, 2))).max() < 25


def test_cameras_are_exported_refined_in_the_runs_world(run: TrainedRun, exported: Path) -> None:
    c2w = nerfstudio_c2w(run)
    train = [i for i in range(FRAMES) if i not in HELD_OUT]
    for name, frames in (("transforms_train.json", train), ("transforms_eval.json", list(HELD_OUT))):
        entries = json.loads((exported / "cameras" / name).read_text("utf8"))
        assert len(entries) == len(frames)
        poses = torch.tensor([entry["transform"] for entry in entries])
        opencv = poses * torch.tensor([1.0, -1, -1, 1])
        difference = (opencv - c2w[frames, :3]).abs().flatten(1).max(dim=1).values
        # Refinement moves cameras by little, but it does move; nerfstudio exports held-out ones as estimated.
        assert (difference < 0.05).all()
        assert (difference > 1e-6).all() == (frames == train)
        assert all(Path(entry["file_path"]).is_file() for entry in entries)


def test_the_dataset_has_refined_cameras_and_points_that_they_see(run: TrainedRun, exported: Path) -> None:
    """What nerfstudio's own splatfacto would train on, read by its dataparser."""
    parser = NerfstudioDataParserConfig(
        data=exported / "dataset", load_3D_points=True,
        orientation_method="none", center_method="none", auto_scale_poses=False,
    ).setup()  # fmt: skip
    parsed = parser.get_dataparser_outputs("train")
    train = [i for i in range(FRAMES) if i not in HELD_OUT]
    assert len(parsed.image_filenames) == len(train)
    original = original_cameras(run)
    poses = parsed.cameras.camera_to_worlds * torch.tensor([1.0, -1, -1, 1])
    difference = (poses - original.c2w[train, :3].float()).abs().flatten(1).max(dim=1).values
    assert (difference < 0.05).all()
    assert (difference > 1e-6).any()
    read = pytest.importorskip("nerfstudio.data.utils.colmap_parsing_utils")
    sparse = exported / "dataset" / "colmap" / "sparse" / "0"
    points = read.read_points3D_binary(sparse / "points3D.bin")
    assert len(points) == len(parsed.metadata["points3D_xyz"]) > 100
    assert np.mean([point.error for point in points.values()]) < 0.7
    assert np.mean([len(point.image_ids) for point in points.values()]) > 2
