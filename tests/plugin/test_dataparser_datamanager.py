"""A saved scene as nerfstudio's data: frames, cameras, times, order, masks."""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from neoverse_ns.method_configs.neoverse import neoverse
from nerfstudio.cameras.cameras import Cameras
from nerfstudio.cameras.rays import RayBundle
from nerfstudio.data.datasets.base_dataset import InputDataset

from neoverse_ns.errors import ClipError, RunError
from neoverse_ns.plugin.dataparser import SCENE_KEY, NeoVerseDataParserConfig
from neoverse_ns.plugin.world import FRAME_KEY, to_nerfstudio_cameras
from neoverse_ns.reconstruct.store import save_scene
from tests.plugin.tiny_scene import HEIGHT, WIDTH, tiny_datamanager, tiny_scene

TRAIN, HELD_OUT = [0, 1, 3, 4, 5, 7, 8], [2, 6]


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    save_scene(tiny_scene(), folder / "scene")
    return folder


@pytest.mark.parametrize(("split", "frames"), [("train", TRAIN), ("val", HELD_OUT), ("test", HELD_OUT)])
def test_parser_gives_each_split_its_frames(run_folder: Path, split: str, frames: list[int]) -> None:
    outputs = NeoVerseDataParserConfig(scene_dir=run_folder / "scene").setup().get_dataparser_outputs(split)
    scene = tiny_scene()
    expected = to_nerfstudio_cameras(scene.geometry.cameras, scene.clip.times, frames)
    assert torch.equal(outputs.cameras.camera_to_worlds, expected.camera_to_worlds)
    assert torch.equal(outputs.cameras.times, expected.times)
    assert outputs.cameras.metadata is not None
    assert outputs.cameras.metadata[FRAME_KEY].reshape(-1).tolist() == frames
    assert [file.is_file() for file in outputs.image_filenames] == [True] * len(frames)
    assert [int(file.stem.split("_")[1]) for file in outputs.image_filenames] == [7 + 3 * i for i in frames]
    assert outputs.metadata[SCENE_KEY].scene.split.held_out == HELD_OUT


def test_without_held_out_frames_evaluation_sees_the_training_frames(tmp_path: Path) -> None:
    save_scene(tiny_scene(frames=2), tmp_path / "scene")
    parser = NeoVerseDataParserConfig(scene_dir=tmp_path / "scene").setup()
    assert len(parser.get_dataparser_outputs("test").image_filenames) == 2


def test_missing_scene_and_missing_clip_are_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone.mp4"
    config = NeoVerseDataParserConfig(data=gone, scene_dir=tmp_path / "scene")
    with pytest.raises(ClipError, match=r"gone\.mp4") as starting:
        config.setup().get_dataparser_outputs("train")
    assert "own copy" not in str(starting.value)
    # A run that has trained had a copy of its own, whose loss is worth telling.
    (tmp_path / "nerfstudio_models").mkdir()
    (tmp_path / "nerfstudio_models" / "step-000000009.ckpt").write_bytes(b"")
    with pytest.raises(ClipError, match=r"gone\.mp4.*own copy.*scene"):
        config.setup().get_dataparser_outputs("train")
    with pytest.raises(ClipError, match="--data"):
        NeoVerseDataParserConfig().setup().get_dataparser_outputs("train")


def test_damaged_scene_is_named(tmp_path: Path) -> None:
    save_scene(tiny_scene(), tmp_path / "scene")
    (tmp_path / "scene" / "geometry.npz").write_bytes(b"damaged")
    with pytest.raises(RunError, match=str(tmp_path / "scene")):
        NeoVerseDataParserConfig(scene_dir=tmp_path / "scene").setup().get_dataparser_outputs("train")


def test_training_frames_come_once_a_round_in_a_repeatable_order(tmp_path: Path) -> None:
    manager = tiny_datamanager(tmp_path)
    scene = tiny_scene()
    order = []
    for step in range(3 * len(TRAIN)):
        camera, batch = manager.next_train(step)
        assert isinstance(camera, Cameras)
        assert camera.metadata is not None
        frame = int(camera.metadata[FRAME_KEY][0])
        order.append(frame)
        assert frame == TRAIN[batch["image_idx"]]
        np.testing.assert_allclose(batch["image"].numpy(), scene.clip.frames[frame].numpy() / 255, atol=1e-6)
        assert float(camera.times[0]) == float(scene.clip.times[frame])
    rounds = [order[i : i + len(TRAIN)] for i in range(0, len(order), len(TRAIN))]
    assert all(sorted(found) == TRAIN for found in rounds)
    assert rounds[0] != rounds[1]
    # The step alone decides, so that a resumed run goes on where it stopped.
    again = [TRAIN[manager.next_train(step)[1]["image_idx"]] for step in (5, 11, 2)]
    assert again == [order[5], order[11], order[2]]


def test_exporters_get_rays_and_evaluation_gets_masks(tmp_path: Path) -> None:
    manager = tiny_datamanager(tmp_path, test_mode="test")
    rays, _ = manager.next_train(0)
    assert isinstance(rays, RayBundle)
    batches = list(manager.fixed_indices_eval_dataloader)
    assert [int(camera.metadata[FRAME_KEY][0]) for camera, _ in batches] == HELD_OUT
    for place, (_, batch) in enumerate(batches):
        assert torch.equal(batch["dynamic_mask"], tiny_scene().held_out_dynamic[place])
        assert batch["image"].shape == (HEIGHT, WIDTH, 3)
    camera, batch = manager.next_eval(0)
    assert isinstance(camera, Cameras)
    assert "dynamic_mask" in batch


def test_viewer_writes_to_the_run_folder_and_knows_about_time(tmp_path: Path) -> None:
    manager = tiny_datamanager(tmp_path, test_mode="inference")
    assert manager.get_datapath() == tmp_path
    assert manager.includes_time
    assert manager.get_train_rays_per_batch() == HEIGHT * WIDTH


def test_user_errors_end_the_process_with_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from neoverse_ns.plugin.datamanager import NeoVerseDataManagerConfig

    with pytest.raises(SystemExit) as ended:
        NeoVerseDataManagerConfig(data=tmp_path / "gone.mp4").setup(device="cpu")
    assert ended.value.code == 1
    printed = capsys.readouterr().out.strip()
    assert printed.startswith("Error:")
    assert "gone.mp4" in printed
    assert len(printed.splitlines()) == 1


def test_other_methods_find_the_frames_as_image_files(tmp_path: Path) -> None:
    scene = tiny_scene()
    save_scene(scene, tmp_path / "scene")
    outputs = NeoVerseDataParserConfig(scene_dir=tmp_path / "scene").setup().get_dataparser_outputs("train")
    dataset = InputDataset(outputs)
    for place, frame in enumerate(scene.split.train):
        expected = scene.clip.frames[frame].float() / 255
        torch.testing.assert_close(dataset.get_image_float32(place), expected)


def test_a_run_decides_the_default_size_by_its_own_device(tmp_path: Path) -> None:
    config = copy.deepcopy(neoverse.config)
    config.data, config.output_dir = tmp_path / "clip.mp4", tmp_path
    config.machine.device_type = "cpu"
    config.set_timestamp()
    config.save_config()
    assert config.pipeline.datamanager.dataparser.device == "cpu"
