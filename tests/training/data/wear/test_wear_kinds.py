"""Exposure, noise, resolution and coding, and how they are drawn."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.coding import coded, enlarged, smaller
from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.clip.wear.light import from_light, to_light
from neoverse_ns.clip.wear.sensor import noisy
from neoverse_ns.errors import SettingsError


def pictures(count: int = 2, height: int = 40, width: int = 56) -> torch.Tensor:
    """Smooth ones with an edge."""
    x, y = torch.linspace(0, 1, width), torch.linspace(0, 1, height)[:, None]
    picture = torch.stack([0.2 + 0.6 * x + 0 * y, 0.5 + 0.3 * torch.sin(6 * x + 4 * y), (x + y > 1) * 0.7 + 0.1])
    return torch.stack([picture.roll(3 * i, -1) for i in range(count)])


def test_light_and_back() -> None:
    stored = torch.linspace(0, 1, 256)
    assert torch.allclose(from_light(to_light(stored)), stored, atol=1e-5)
    # The standard's own value of middle grey.
    assert to_light(torch.tensor([0.5]))[0] == pytest.approx(0.21404, abs=1e-5)
    assert to_light(torch.tensor([0.04]))[0] == pytest.approx(0.04 / 12.92)


@pytest.mark.parametrize(
    ("level", "electrons", "read"), [(0.4, 200.0, 0.0), (0.1, math.inf, 0.03), (0.7, 1000.0, 0.02)]
)
def test_noise_has_the_variance_of_its_model(level: float, electrons: float, read: float) -> None:
    light = torch.full((3, 3, 100, 120), level)
    worn = noisy(light, electrons, read, seed=1)
    assert worn.mean() == pytest.approx(level, abs=1e-3)
    assert worn.var() == pytest.approx(level / electrons + read**2, rel=0.03)
    assert torch.equal(worn, noisy(light, electrons, read, seed=1))
    assert not torch.equal(worn, noisy(light, electrons, read, seed=2))
    assert (worn[0] - worn[1]).std() > 1.3 * (worn[0] - level).std()  # Every frame has its own.


def test_coding_is_pillows() -> None:
    clean = pictures()
    worn = coded(clean, 25)
    for before, after in zip(clean, worn, strict=True):
        file = io.BytesIO()
        level = (before * 255).round().byte().permute(1, 2, 0).numpy()
        Image.fromarray(level).save(file, "jpeg", quality=25, subsampling="4:2:0")
        assert np.array_equal((after * 255).round().byte().permute(1, 2, 0).numpy(), np.asarray(Image.open(file)))
    assert (coded(clean, 10) - clean).abs().mean() > 1.5 * (coded(clean, 75) - clean).abs().mean()


def test_fewer_pixels_are_means() -> None:
    checks = ((torch.arange(48)[:, None] + torch.arange(64)) % 2).float().expand(1, 3, 48, 64)
    small = smaller(checks, 0.25)
    assert small.shape == (1, 3, 12, 16)
    assert (small[..., 2:-2, 2:-2] - 0.5).abs().max() < 0.02
    assert torch.allclose(enlarged(torch.full((1, 3, 12, 16), 0.3), 48, 64), torch.tensor(0.3), atol=1e-6)
    worn = wear_inputs(pictures(), WearDraw(scale=0.3))
    assert worn.shape == (2, 3, 40, 56)
    # Smooth parts stay, the edge does not.
    assert (worn - pictures())[0, 0, 6:-6, 6:-6].abs().max() < 0.02
    assert (worn - pictures())[0, 2].abs().max() > 0.2


def test_exposure_drifts_as_drawn() -> None:
    clean, times = pictures(4) * 0.4, torch.tensor([0, 3, 5, 12])
    draw = WearDraw(stops=-0.5, drift=0.4, rate=0.07, phase=0.2)
    worn = to_light(wear_inputs(clean, draw, times))
    stops = [-0.5 + 0.4 * math.sin(2 * math.pi * (0.07 * t + 0.2)) for t in times.tolist()]
    for frame, stop, before in zip(worn, stops, to_light(clean), strict=True):
        assert torch.allclose(frame, before * 2**stop, atol=1e-4)
    assert torch.allclose(wear_inputs(clean, WearDraw(gamma=1.2)), clean**1.2, atol=1e-5)


def test_shaking_blurs_where_motion_is_not_known() -> None:
    clean = pictures(1)
    worn = wear_inputs(clean, WearDraw(shutter=1.0, shake=(0.1, 0.0)))
    still = wear_inputs(clean, WearDraw(shutter=1.0, shake=(0.0, 0.0)))
    assert torch.allclose(still, clean, atol=1e-5)
    assert (worn - clean)[0, 2].abs().max() > 0.2


def test_draws_follow_their_switches() -> None:
    config = WearConfig(share=0.8, blur=0.5, low_resolution=0.25, exposure=0.6, noise=0.4, compression=0.3)
    generator = torch.Generator().manual_seed(0)
    draws = [draw_wear(config, generator) for _ in range(3000)]

    def share(name: str) -> float:
        return float(np.mean([bool(getattr(draw, name)) for draw in draws]))

    assert share("blurs") == pytest.approx(0.4, abs=0.03)
    assert share("exposes") == pytest.approx(0.48, abs=0.03)
    assert share("noisy") == pytest.approx(0.32, abs=0.03)
    assert np.mean([draw.scale < 1 for draw in draws]) == pytest.approx(0.2, abs=0.03)
    qualities = [draw.quality for draw in draws if draw.quality is not None]
    assert len(qualities) / 3000 == pytest.approx(0.24, abs=0.03)
    assert (min(qualities), max(qualities)) == config.quality
    shutters = [draw.shutter for draw in draws if draw.blurs]
    assert config.shutter[0] <= min(shutters) < 0.35
    assert 1.4 < max(shutters) <= config.shutter[1]
    assert all(draw.nothing for draw in (draw_wear(WearConfig(), generator) for _ in range(20)))
    off = WearConfig(share=1.0, blur=0.0, low_resolution=0.0, exposure=0.0, noise=0.0, compression=0.0)
    assert draw_wear(off, generator).nothing


def test_every_draw_takes_as_much_of_the_generator() -> None:
    after = []
    for config in (WearConfig(), WearConfig(share=1.0), WearConfig(share=1.0, compression=0.0, noise=1.0)):
        generator = torch.Generator().manual_seed(3)
        draw_wear(config, generator)
        after.append(torch.rand(4, generator=generator))
    assert torch.equal(after[0], after[1])
    assert torch.equal(after[0], after[2])


def test_the_same_draw_wears_alike() -> None:
    draw = draw_wear(WearConfig(1.0, 1.0, noise=1.0, compression=1.0), torch.Generator().manual_seed(5))
    assert torch.equal(wear_inputs(pictures(), draw), wear_inputs(pictures(), draw))
    assert not torch.equal(wear_inputs(pictures(), draw), wear_inputs(pictures(), replace(draw, seed=draw.seed + 1)))
    clean = pictures()
    wear_inputs(clean, draw)
    assert torch.equal(clean, pictures())


@pytest.mark.parametrize(
    "wrong",
    [{"share": 1.5}, {"shutter": (2.0, 1.0)}, {"quality": (0, 50)}, {"stops": math.nan}, {"electrons": (0.0, 9.0)}],
)
def test_wrong_settings_are_named(wrong: dict) -> None:
    with pytest.raises(SettingsError, match=f"wear.{next(iter(wrong))}"):
        WearConfig(**wrong).validate()
