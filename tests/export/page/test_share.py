"""Which Gaussians stay where not all may."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.page.share import most_shown
from neoverse_ns.gaussians.layers import BACKGROUND, FAR_FIELD, FRAMES, LayeredGaussians
from neoverse_ns.rasterize.layers import draw_layers
from tests.export.layered_scene import layered_scene
from tests.export.splat_viewer import agreement


def scattered(layers: LayeredGaussians, kept: torch.Tensor) -> LayeredGaussians:
    parts, start = {}, 0
    for name, layer in layers.items():
        parts[name] = layer[kept[start : start + len(layer)]]
        start += len(layer)
    return LayeredGaussians(parts)


def test_what_nobody_sees_goes_first_and_the_picture_stays() -> None:
    scene = layered_scene()
    layers = scene.gaussians
    # A second wall behind the first, which hides it from everywhere.
    behind = layers[BACKGROUND].with_(means=layers[BACKGROUND].means + torch.tensor([0.0, 0.0, 60.0]))
    scene = replace(scene, gaussians=layers.replaced(FAR_FIELD, behind))
    count = scene.gaussians.count * 5 // 8
    kept = most_shown(scene, count)
    assert int(kept.sum()) == count
    own = scene.cameras[[3]]

    def picture(gaussians: LayeredGaussians) -> torch.Tensor:
        return draw_layers(gaussians, 0.75, own.viewmats, own.K, own.width, own.height).rgb[0]

    true = picture(scene.gaussians)
    random = torch.zeros_like(kept)
    random[torch.randperm(len(kept), generator=torch.Generator().manual_seed(0))[:count]] = True
    best = agreement(picture(scattered(scene.gaussians, kept)), true)
    assert best > 45
    assert best > agreement(picture(scattered(scene.gaussians, random)), true) + 8
    # Of what is nearest and lasts longest most stays.
    frames = len(scene.gaussians[FRAMES])
    assert kept[:frames].float().mean() > 0.9 > 0.6 > kept[-len(behind) :].float().mean()
