"""The refiner from files to frames, with a tiny random model in both layouts."""

from __future__ import annotations

import shutil

import pytest
import torch
from safetensors.torch import save_file

from neoverse_ns.errors import MemoryShortageError, RefinementError, SettingsError, WeightsError
from neoverse_ns.generate.base import Conditions, Refiner
from neoverse_ns.generate.config import RefinerConfig
from neoverse_ns.generate.refiners.wan import refiner as refiner_module
from neoverse_ns.generate.refiners.wan.config import WanConfig
from neoverse_ns.generate.refiners.wan.refiner import WanRefiner
from neoverse_ns.generate.registry import get_refiner
from tests.generate.refiners.wan.tiny_wan import make_conditions, save_diffusers_layout, save_release_layout


class Asked:
    """Conditions that remember what was asked for."""

    first_frame = False

    def __init__(self, whole: Conditions) -> None:
        self.whole, self.asked = whole, []
        self.height, self.width, self.device = whole.height, whole.width, whole.device

    def __len__(self) -> int:
        return len(self.whole)

    def __getitem__(self, frames: slice) -> Conditions:
        self.asked.append(frames)
        return self.whole[frames]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("wan")
    return save_release_layout(root / "release"), save_diffusers_layout(root / "diffusers")


def _refiner(folder, **settings) -> WanRefiner:
    settings = {"steps": 2, "guidance": 1.0, "device": "cpu", "base": None, **settings}
    return WanRefiner(WanConfig(model=str(folder), **settings))


@pytest.fixture(scope="module")
def refiner(folders):
    return _refiner(folders[1])


def test_both_layouts_give_the_same_frames(folders, refiner):
    conditions = make_conditions()
    frames = refiner.refine(conditions, "the street")
    assert frames.shape == (5, 32, 32, 3)
    assert 0 <= float(frames.min()) < float(frames.max()) <= 1
    config = RefinerConfig(refiner="wan")
    config.wan = WanConfig(model=str(folders[0]), steps=2, guidance=1.0, device="cpu", base=None)
    released = get_refiner(config)
    assert isinstance(released, Refiner)
    assert torch.equal(released.refine(conditions, "the street"), frames)


def test_seed_and_prompt_decide(refiner):
    conditions = make_conditions()
    frames = refiner.refine(conditions, "a night.", seed=3)
    assert torch.equal(refiner.refine(conditions, "a night.", seed=3), frames)
    assert not torch.allclose(refiner.refine(conditions, "a night.", seed=4), frames, atol=1e-3)
    assert not torch.equal(refiner.refine(conditions, "the street", seed=3), frames)


def test_conditions_decide(folders, refiner):
    conditions = make_conditions()
    frames = refiner.refine(conditions)
    assert not torch.equal(refiner.refine(make_conditions(seed=1)), frames)
    assert not torch.equal(_refiner(folders[1], control_scale=0.0).refine(conditions), frames)


def test_any_number_and_size_of_frames(refiner):
    frames = refiner.refine(make_conditions(frames=3, height=25, width=39))
    assert frames.shape == (3, 25, 39, 3)
    assert refiner.refine(make_conditions(frames=1)).shape == (1, 32, 32, 3)


def test_guidance_leads_away_from_the_negative_prompt(folders):
    conditions = make_conditions()
    alone = _refiner(folders[1]).refine(conditions, "the street")
    towards = _refiner(folders[1], guidance=5.0).refine(conditions, "the street")
    assert not torch.equal(alone, towards)
    # v + g (v - v) = v: where both prompts are one, guidance changes nothing.
    same = _refiner(folders[1], guidance=5.0, negative_prompt="the street").refine(conditions, "the street")
    torch.testing.assert_close(same, alone, atol=1e-5, rtol=0.0)


def test_negative_prompt_without_guidance_is_said_to_be_unused(folders, capsys):
    _refiner(folders[1], negative_prompt="a night").refine(make_conditions())
    assert "negative prompt has no effect" in capsys.readouterr().out


def test_windows_cover_a_long_trajectory_and_continue_each_other(folders):
    conditions = make_conditions(frames=12)
    windowed = _refiner(folders[1], window=9, overlap=3)
    frames = windowed.refine(conditions)
    assert frames.shape == (12, 32, 32, 3)
    # The first window knows nothing of the second, the depth's normalisation included.
    conditions.depth[9:] *= 5
    alone = windowed.refine(conditions[:9])
    assert torch.equal(frames[:6], alone[:6])
    assert not torch.equal(frames[6:9], alone[6:9])
    # What the second window shows depends on what the first one finished.
    changed = make_conditions(frames=12)
    changed.rgb[0] = 0
    assert not torch.equal(windowed.refine(changed)[9:], frames[9:])


def test_frames_come_before_the_next_window_is_drawn(folders):
    """What is held of a long trajectory is a window of its conditions, and what overlaps of its frames."""
    path = Asked(make_conditions(frames=30))
    windowed = _refiner(folders[1], window=9, overlap=3)
    pieces, drawn = [], []
    for piece in windowed.stream(path):
        pieces.append(piece)
        drawn.append(path.asked[-1].stop)
    assert [(part.start, part.stop) for part in path.asked] == [(0, 9), (6, 15), (12, 21), (18, 27), (21, 30)]
    assert [len(piece) for piece in pieces] == [6, 6, 6, 3, 9]
    assert drawn == [9, 15, 21, 27, 30]
    assert torch.equal(torch.cat(pieces), windowed.refine(path.whole))


@pytest.mark.parametrize("offload", ["components", "blocks"])
def test_offloading_gives_the_same_frames(folders, refiner, offload):
    conditions = make_conditions()
    offloaded = _refiner(folders[1], offload=offload)
    assert torch.equal(offloaded.refine(conditions), refiner.refine(conditions))
    # The second call finds everything where the first one left it.
    assert torch.equal(offloaded.refine(conditions), refiner.refine(conditions))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("offload", ["none", "components", "blocks"])
def test_offloading_on_cuda(folders, offload):
    conditions = make_conditions()
    expected = _refiner(folders[1]).refine(conditions)
    refiner = _refiner(folders[1], offload=offload, device="cuda", dtype="float32")
    torch.testing.assert_close(refiner.refine(conditions), expected, atol=5e-3, rtol=0.0)
    on_device = {str(p.device.type) for p in refiner._components.transformer.parameters()}
    assert on_device == ({"cuda"} if offload == "none" else {"cpu"})


def test_tiles_change_little(folders, refiner):
    conditions = make_conditions(height=272, width=16)
    whole = refiner.refine(conditions)
    tiled = _refiner(folders[1], tiled_vae="on").refine(conditions)
    assert not torch.equal(tiled, whole)
    assert float((tiled - whole).abs().mean()) < 0.05


def test_bfloat16_is_close_to_float32(folders, refiner):
    conditions = make_conditions()
    frames = _refiner(folders[1], dtype="bfloat16").refine(conditions)
    assert not torch.equal(frames, refiner.refine(conditions))
    assert float((frames - refiner.refine(conditions)).abs().mean()) < 0.02


def test_lora_sets_the_steps_and_changes_the_frames(folders, tmp_path, refiner, capsys):
    lora = tmp_path / "lora.safetensors"
    generator = torch.Generator().manual_seed(0)
    save_file(
        {
            "diffusion_model.blocks.0.ffn.0.lora_down.weight": torch.randn(2, 24, generator=generator),
            "diffusion_model.blocks.0.ffn.0.lora_up.weight": torch.randn(32, 2, generator=generator),
        },
        lora,
    )
    conditions = make_conditions()
    distilled = _refiner(folders[0], lora=str(lora), steps=None, guidance=None)
    frames = distilled.refine(conditions)
    assert "4 steps, guidance 1" in capsys.readouterr().out
    plain = _refiner(folders[1], steps=4).refine(conditions)
    assert not torch.allclose(frames, plain, atol=1e-3)
    shutil.copytree(folders[1], tmp_path / "model")
    (tmp_path / "model" / "loras").mkdir()
    shutil.copy(lora, tmp_path / "model" / "loras")
    assert torch.equal(_refiner(tmp_path / "model", steps=None, guidance=None).refine(conditions), frames)


def test_too_little_memory_is_refused_before_loading(folders, monkeypatch):
    monkeypatch.setattr(refiner_module, "free_memory", lambda device: (1e5, 1e9))
    monkeypatch.setattr(refiner_module, "load_components", lambda *_: pytest.fail("loaded"))
    with pytest.raises(MemoryShortageError, match=r"5 frames of 32x32 do not fit on cpu with .*: even .* does not fit"):
        _refiner(folders[1]).refine(make_conditions())


def test_bad_weights_and_conditions_are_errors(folders, tmp_path):
    conditions = make_conditions()
    conditions.depth[2, 0, 0] = float("nan")
    with pytest.raises(RefinementError, match="depth is not finite in frame 2"):
        _refiner(folders[1]).refine(conditions)
    late = make_conditions(frames=12)
    late.rgb[10] = float("inf")
    with pytest.raises(RefinementError, match="rgb is not finite in frame 10"):
        _refiner(folders[1], window=5, overlap=1).refine(late)
    with pytest.raises(RefinementError, match="hold no frame"):
        make_conditions()[:0]
    broken = _refiner(folders[1])
    broken.refine(make_conditions())
    broken._components.transformer.proj_out.bias.data.fill_(float("nan"))
    with pytest.raises(RefinementError, match="not numbers"):
        broken.refine(make_conditions())
    with pytest.raises(WeightsError, match=r"no folder at|have no transformer"):
        _refiner(tmp_path / "nothing").refine(make_conditions())


def test_settings_out_of_range_are_errors(folders):
    for wrong in ({"window": 80}, {"overlap": 81}, {"steps": 0}, {"guidance": 0.5}, {"control_scale": float("nan")}):
        with pytest.raises(SettingsError):
            _refiner(folders[1], **wrong)
    with pytest.raises(RefinementError, match="no device"):
        _refiner(folders[1], device="gpu")
