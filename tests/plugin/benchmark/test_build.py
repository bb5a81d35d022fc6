"""A run of a protocol's inputs, from a data set's folder to the numbers of ns-eval."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.errors import RunError, SettingsError
from neoverse_ns.evaluation.data.dycheck.scene import DyCheckScene
from neoverse_ns.evaluation.judges.views.targets import TargetJudge
from neoverse_ns.evaluation.protocol import aliases
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.rules import Pick, Rule
from neoverse_ns.evaluation.protocol.viewers import Only
from neoverse_ns.metrics.camera import ate
from neoverse_ns.plugin.benchmark.build import load_or_build
from neoverse_ns.plugin.benchmark.opened import open_benchmark
from neoverse_ns.plugin.benchmark.placed import place_targets
from neoverse_ns.plugin.benchmark.source import BenchmarkSource
from neoverse_ns.plugin.benchmark.targets import RunTargets
from neoverse_ns.plugin.datamanager import NeoVerseDataManagerConfig
from neoverse_ns.plugin.dataparser import SCENE_KEY, TARGETS_KEY, NeoVerseDataParserConfig, SceneHandle
from neoverse_ns.plugin.model_config import NeoVerseModelConfig
from neoverse_ns.plugin.world import TARGET_KEY, nerfstudio_to_world, opengl_to_viewmats
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.scene import Scene
from tests.evaluation.data.fabricate_dycheck import Fabricated, write_dycheck

RULE = Rule(Pick(Span(0, 6, 1), Only(("0",))), Pick(Span(1, 6, 2), Only(("1",))))


def small(placing: str) -> Protocol:
    """Six inputs and three targets of the standing camera."""
    return Protocol(
        alias=f"small-{placing}@1",
        kind="views",
        data="dycheck",
        label="small",
        scenes=None,
        frames=RULE.label,
        rule=RULE,
        cameras=placing,  # pyright: ignore
        metrics=("psnr", "mpsnr", "ssim-sk11"),
        mask="covis",
        size="48x64",
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Fabricated:
    return write_dycheck(tmp_path_factory.mktemp("dycheck"), frames=6, size=(96, 128))[0]


class Reads:
    """Names of frames in the order in which they are read, and where the scene was made."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        read = DyCheckScene.read

        def noted(scene: DyCheckScene, frame, *what):
            self.names.append(frame.name)
            return read(scene, frame, *what)

        monkeypatch.setattr(DyCheckScene, "read", noted)


def built(made: Fabricated, folder: Path, placing: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Scene, RunTargets]:
    monkeypatch.setattr(aliases, "protocols", lambda: {f"small-{placing}@1": small(placing)})
    source = BenchmarkSource("", made.folder.parent, f"small-{placing}@1")
    return load_or_build(source, SceneConfig(reconstructor="bundle"), "cpu", folder)


def true_targets(made: Fabricated) -> torch.Tensor:
    return torch.stack([made.c2w[f"1_{time:05d}"] for time in (1, 3, 5)])


def test_given_cameras_are_the_data_sets(made: Fabricated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = Reads(monkeypatch)
    scene, targets = built(made, tmp_path / "scene", "given", monkeypatch)
    # Inputs first; targets only when the scene is made, to be kept for judging.
    assert [name[7] for name in reads.names] == ["0"] * 6 + ["1"] * 3
    assert [name[7] for name in targets.inputs] == ["0"] * 6
    placed = place_targets(targets, scene, scene.geometry.cameras)
    everything = torch.cat([scene.geometry.cameras.c2w.double(), placed.c2w])
    true = torch.cat([torch.stack([made.c2w[f"0_{time:05d}"] for time in range(6)]), true_targets(made)])
    error = ate(everything, true)
    assert error.percent_of_path < 1e-3
    # Pixels of 48x64 pictures of 96x128 ones.
    expected = made.K.clone()
    expected[:2] /= 2
    torch.testing.assert_close(placed.K, expected.expand(3, 3, 3), atol=1e-4, rtol=0)
    assert targets.id == "small[paper-windmill]/c0t0:6>c1t1:6:2/given/covis/48x64/psnr+mpsnr+ssim-sk11/r1"
    # The folder serves without the data, and a damaged one says so.
    moved = made.folder.with_name("away")
    made.folder.rename(moved)
    try:
        again, read = built(made, tmp_path / "scene", "given", monkeypatch)
    finally:
        moved.rename(made.folder)
    assert torch.equal(again.geometry.cameras.c2w, scene.geometry.cameras.c2w)
    assert read.truth(2).mask is not None
    check_evaluation(made, tmp_path / "scene", scene, monkeypatch)
    with pytest.raises(RunError, match="ns-train"):
        load_or_build(BenchmarkSource(), SceneConfig(), "cpu", None)


def check_evaluation(made: Fabricated, folder: Path, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """What ns-eval measures is what the judge of views measures of the same pictures."""
    source = BenchmarkSource("", made.folder.parent, "small-given@1")
    manager = NeoVerseDataManagerConfig(dataparser=NeoVerseDataParserConfig(scene_dir=folder), source=source).setup(
        device="cpu", test_mode="test"
    )
    assert len(manager.train_dataset) == 6
    metadata = {SCENE_KEY: SceneHandle(scene), TARGETS_KEY: manager.train_dataparser_outputs.metadata[TARGETS_KEY]}
    model = NeoVerseModelConfig().setup(scene_box=None, num_train_data=6, metadata=metadata, device="cpu")
    model.eval()
    opened = open_benchmark(source)
    judge = TargetJudge(opened.protocol, opened.scene)
    for number, (camera, batch) in enumerate(manager.fixed_indices_eval_dataloader):
        assert int(camera.metadata[TARGET_KEY]) == number
        outputs = model.get_outputs_for_camera(camera)
        values, pictures = model.get_image_metrics_and_images(outputs, batch)
        shown = (outputs["rgb"].clamp(0, 1) * 255).round().to(torch.uint8)
        expected = judge.measure(opened.choice.targets[number], shown)
        assert values == pytest.approx(expected, abs=1e-5)
        assert pictures["img"].shape == (64, 96, 3)
    facts = model._judge.facts()
    assert facts["counted"] == {"psnr": "3 of 3", "mpsnr": "3 of 3", "ssim-sk11": "3 of 3"}
    assert [row["name"] for row in facts["per_image"]] == [frame.name for frame in opened.choice.targets]


@pytest.mark.parametrize("placing", ["sim3-context", "predict-all"])
def test_placed_cameras_follow_refined_ones(
    placing: str, made: Fabricated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = Reads(monkeypatch)
    scene, targets = built(made, tmp_path / "scene", placing, monkeypatch)
    # The solver may look where the protocol says so, when the scene is already made.
    assert [name[7] for name in reads.names] == ["0"] * 6 + ["1"] * (6 if placing == "predict-all" else 3)
    metadata = {SCENE_KEY: SceneHandle(scene), TARGETS_KEY: targets}
    model = NeoVerseModelConfig().setup(scene_box=None, num_train_data=6, metadata=metadata, device="cpu")
    outputs = NeoVerseDataParserConfig(
        scene_dir=tmp_path / "scene", benchmark=BenchmarkSource("", made.folder.parent, f"small-{placing}@1")
    ).setup()
    cameras = outputs.get_dataparser_outputs("test").cameras
    before = model.camera_optimizer.refined_viewmats(cameras)
    torch.testing.assert_close(before, opengl_to_viewmats(cameras.camera_to_worlds), atol=1e-4, rtol=0)
    # Every input is moved by the same step of its own; what is placed by them moves, too.
    with torch.no_grad():
        model.camera_optimizer.pose_adjustment[:, 2] = 0.05
    after = model.camera_optimizer.refined_viewmats(cameras)
    found = model.camera_optimizer.refined(scene.geometry.cameras, scene.clip.times)
    here = dataclasses.replace(found, c2w=nerfstudio_to_world().apply_c2w(found.c2w))
    placed = place_targets(targets, scene, here)
    expected = nerfstudio_to_world().apply_c2w(torch.linalg.inv(after.double()))
    torch.testing.assert_close(expected, placed.c2w, atol=1e-4, rtol=0)
    assert float((after - before).abs().max()) > 0.01


def test_what_the_protocol_decides_is_refused(
    made: Fabricated, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aliases, "protocols", lambda: {"small-given@1": small("given")})
    source = BenchmarkSource("", made.folder.parent, "small-given@1")
    for config in (SceneConfig(clip=ClipConfig(start=1.0)), SceneConfig(held_out_every=0)):
        with pytest.raises(SettingsError, match=r"--start|--held-out-every"):
            load_or_build(source, config, "cpu", tmp_path / "scene")
    assert not (tmp_path / "scene").exists()
