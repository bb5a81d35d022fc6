"""VBench's dimensions against what they are defined as, frame by frame."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench import dimensions
from neoverse_ns.metrics.vbench.aesthetic import AestheticQuality
from neoverse_ns.metrics.vbench.consistency import Consistency
from neoverse_ns.metrics.vbench.dimensions import DIMENSIONS, measure_of
from neoverse_ns.metrics.vbench.files import DINO, FOLDER
from neoverse_ns.metrics.vbench.flickering import StillFlickering, TemporalFlickering, largest_motion, stands_still
from neoverse_ns.metrics.vbench.measure import NotMeasuredError, VideoMeasure
from neoverse_ns.metrics.vbench.pictures import CLIP, IMAGENET, for_clip, for_dino
from neoverse_ns.metrics.vbench.smoothness import InterpolatedSmoothness
from tests.metrics.vbench.published_towers import CLIP_SHAPE, DINO_SHAPE, Dino, OpenAIClip


def video(frames: int = 7, height: int = 20, width: int = 30, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (frames, height, width, 3), generator=random, dtype=torch.uint8)


def shown(measure: VideoMeasure, frames: torch.Tensor) -> VideoMeasure:
    for frame in frames:
        measure.add(frame)
    measure.finish()
    return measure


def test_flickering_is_vbenchs_formula() -> None:
    frames = video()
    pictures = frames.numpy().astype(np.float64)
    differences = [np.abs(after - before).mean() for before, after in pairwise(pictures)]
    measure = shown(TemporalFlickering(), frames)
    assert measure.mean == pytest.approx((255 - np.mean(differences)) / 255, abs=1e-12)
    assert list(measure.values) == [1, 2, 3, 4, 5, 6]
    # Two known ones: a frame that is repeated, and black after white.
    white = torch.full((4, 6, 3), 255, dtype=torch.uint8)
    assert shown(TemporalFlickering(), torch.stack([white, white, 0 * white])).values == {1: 1.0, 2: 0.0}
    assert math.isnan(shown(TemporalFlickering(), frames[:1]).mean)


def test_motion_of_a_pair_is_that_of_the_two_percent_that_move_most() -> None:
    flow = torch.zeros(10, 20, 2)
    flow[0, :4] = torch.tensor([3.0, 4.0])  # Four of two hundred pixels.
    assert largest_motion(flow) == pytest.approx(5.0)
    flow[0, :2] = 0.0
    assert largest_motion(flow) == pytest.approx(2.5)


def test_still_videos_are_told_by_vbenchs_rule() -> None:
    # 16 frames of 256 pixels: more than 3 pixels may be moved twice, and 12 from end to end.
    assert stands_still([3.1, 3.1, *[2.9] * 13], [12.0, 12.0], 256, 16)
    assert not stands_still([3.1, 3.1, 3.1, *[2.9] * 12], [0.0, 0.0], 256, 16)
    assert not stands_still([0.0] * 15, [12.1, 0.0], 256, 16)
    # At twice the size twice as many pixels.
    assert stands_still([6.1, 6.1, *[5.9] * 13], [24.0, 24.0], 512, 16)


def test_only_still_videos_have_still_flickering() -> None:
    frames = video(16)
    for moved in (0.0, 1.0):
        measure = StillFlickering(lambda a, b, moved=moved: torch.full((20, 30, 2), moved), "made")
        shown(measure, frames)
        assert measure.id == "temporal-flickering-still(made)"
        assert measure.still is (moved == 0.0)
        expected = shown(TemporalFlickering(), frames).values if measure.still else {}
        assert measure.values == expected


def test_smoothness_compares_odd_frames_with_what_is_between_their_neighbours() -> None:
    frames = video(6)

    def mean(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return ((a.float() + b.float()) / 2).round().to(torch.uint8)

    measure = shown(InterpolatedSmoothness("smoothness-mean", mean), frames)
    pictures = frames.numpy().astype(np.float64)
    expected = {
        odd: 1 - np.abs(np.rint((pictures[odd - 1] + pictures[odd + 1]) / 2) - pictures[odd]).mean() / 255
        for odd in (1, 3)
    }
    assert measure.values == pytest.approx(expected)


def test_consistency_is_vbenchs_formula() -> None:
    features = torch.randn(6, 5, generator=torch.Generator().manual_seed(1))
    numbers = iter(features)
    measure = shown(Consistency("subject-consistency", lambda frame: next(numbers)), video(6))

    def cosine(i: int, j: int) -> float:
        a, b = features[i].double(), features[j].double()
        return max(0.0, float(a @ b / (a.norm() * b.norm())))

    expected = {t: (cosine(t, t - 1) + cosine(t, 0)) / 2 for t in range(1, 6)}
    assert measure.values == pytest.approx(expected, abs=1e-9)
    assert min(cosine(t, 0) for t in range(1, 6)) == 0.0  # The clamp is at work.


def test_aesthetic_quality_is_a_linear_function_of_the_normalised_embedding() -> None:
    features = torch.randn(3, 4, generator=torch.Generator().manual_seed(2))
    numbers = iter(features)
    weight = torch.tensor([1.0, -2.0, 0.5, 3.0])
    measure = shown(AestheticQuality(lambda frame: next(numbers), weight, 5.0), video(3))
    expected = {t: (float(f @ weight) / float(f.norm()) + 5) / 10 for t, f in enumerate(features)}
    assert measure.values == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("size", [(300, 401), (401, 300), (96, 150), (224, 399), (224, 224), (225, 224)])
def test_pictures_are_those_of_torchvision(size: tuple[int, int]) -> None:
    transforms = pytest.importorskip("torchvision.transforms")
    frame = video(1, *size)[0]
    picture = frame.permute(2, 0, 1)

    def made(*steps: object) -> torch.Tensor:
        return transforms.Compose(list(steps))(picture[None])

    def scaled(x: torch.Tensor) -> torch.Tensor:
        return x.float().div(255.0)

    bicubic = transforms.InterpolationMode.BICUBIC
    dino = made(transforms.Resize(224, antialias=False), scaled, transforms.Normalize(*IMAGENET))
    clip = made(
        transforms.Resize(224, interpolation=bicubic, antialias=False),
        transforms.CenterCrop(224),
        scaled,
        transforms.Normalize(*CLIP),
    )
    # One grey level of difference would be .017.
    assert (for_dino(frame) - dino).abs().max() < 1e-5
    assert (for_clip(frame) - clip).abs().max() < 1e-5


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without any weights."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    for name in ("XDG_CACHE_HOME", "VBENCH_CACHE_DIR", "TORCH_HOME", FOLDER):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path / FOLDER


def test_what_is_missing_is_named_with_what_to_fetch_and_where_to_put_it(nowhere: Path) -> None:
    wanted = {
        "subject-consistency": ("DINO ViT-B/16", "dino_vitbase16_pretrain.pth", str(nowhere)),
        "background-consistency": ("CLIP ViT-B/32", "ViT-B-32.pt", str(nowhere)),
        "aesthetic-quality": ("CLIP ViT-L/14", "ViT-L-14.pt", str(nowhere)),
        "motion-smoothness": ("AMT-S", "amt-s.pth", "vbench"),
        "imaging-quality": ("MUSIQ", "musiq_spaq", "vbench"),
    }
    for name, dimension in DIMENSIONS.items():
        if name not in wanted:
            assert measure_of(dimension).id == name == "temporal-flickering"
            assert dimension.why_not() is None
            continue
        with pytest.raises(NotMeasuredError) as caught:
            measure_of(dimension)
        assert str(caught.value) == dimension.why_not()
        assert all(word in str(caught.value) for word in (name, *wanted[name]))


def test_weights_are_found_where_other_programs_put_them(nowhere: Path, tmp_path: Path) -> None:
    assert DINO.found() is None
    for place in ("TORCH_HOME/hub/checkpoints", "VBENCH_CACHE_DIR/dino_model", FOLDER):
        file = tmp_path / place / "dino_vitbase16_pretrain.pth"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"x")
        assert DINO.found() == file
    (tmp_path / "mine").mkdir()
    # A folder that is named is the only one.
    assert DINO.found(tmp_path / "mine") is None
    with pytest.raises(WeightsError, match="no folder"):
        DINO.found(tmp_path / "none")


def test_dimensions_use_the_files_of_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    # Small networks take the place of the published ones, whose shapes are checked elsewhere.
    for name in ("VIT_B_32", "VIT_L_14"):
        monkeypatch.setattr(dimensions, name, CLIP_SHAPE)
    monkeypatch.setattr(dimensions, "_dino", lambda path: dimensions.load_dino_tower(path, DINO_SHAPE))
    dino, clip = Dino(), OpenAIClip()
    torch.save(dino.state_dict(), tmp_path / "dino_vitbase16_pretrain.pth")
    for name in ("ViT-B-32.pt", "ViT-L-14.pt"):
        torch.save(clip.state_dict(), tmp_path / name)
    head = torch.nn.Linear(CLIP_SHAPE.embedding, 1).requires_grad_(False)
    torch.save(head.state_dict(), tmp_path / "sa_0_4_vit_l_14_linear.pth")
    frames = video(4, 80, 100)
    measured = ("subject-consistency", "background-consistency", "aesthetic-quality")
    values = {name: shown(measure_of(DIMENSIONS[name], tmp_path), frames).values for name in measured}
    tokens = [dino(for_dino(frame, 64))[0, 0] for frame in frames]
    images = [clip(for_clip(frame, 64))[0] for frame in frames]
    for name, features in (("subject-consistency", tokens), ("background-consistency", images)):
        cosines = [[max(0.0, float(torch.cosine_similarity(a, b, dim=0))) for a in features] for b in features]
        expected = {t: (cosines[t][t - 1] + cosines[t][0]) / 2 for t in (1, 2, 3)}
        assert values[name] == pytest.approx(expected, abs=1e-4)
    scores = {t: float(head(torch.nn.functional.normalize(f, dim=0))) / 10 for t, f in enumerate(images)}
    assert values["aesthetic-quality"] == pytest.approx(scores, abs=1e-4)
    torch.save(torch.nn.Linear(7, 1).state_dict(), tmp_path / "sa_0_4_vit_l_14_linear.pth")
    with pytest.raises(WeightsError, match="no linear head"):
        measure_of(DIMENSIONS["aesthetic-quality"], tmp_path)
