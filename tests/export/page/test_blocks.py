"""The order in which a page keeps Gaussians, and what it keeps of their colours."""

from __future__ import annotations

from dataclasses import replace

import torch

from neoverse_ns.export.page.blocks import rows_in, scene_blocks
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import FRAMES
from neoverse_ns.rasterize.layers import draw_layers
from neoverse_ns.rasterize.spherical_harmonics import sh_colors
from tests.export.layered_scene import FRAME_COUNT, layered_scene
from tests.export.splat_viewer import agreement


def test_a_block_is_one_layer_and_one_lifetime_and_what_moves_comes_first() -> None:
    scene = layered_scene()
    blocks = scene_blocks(scene)
    assert [(block.layer, block.dynamic) for block in blocks] == [(0, True)] * 3 + [(1, False), (3, False)]
    assert [block.interval for block in blocks[:3]] == [(-0.5, 0.0, 0.5), (0.0, 0.5, 1.0), (0.5, 1.0, 1.5)]
    for block, frame in zip(blocks, (0, 2, 4, 2, 2), strict=True):
        torch.testing.assert_close(block.origin, scene.cameras.c2w[frame, :3, 3].double())
    assert rows_in(blocks) == scene.gaussians.count


def test_rows_in_any_order_give_the_same_blocks() -> None:
    scene = layered_scene()
    mixed = torch.randperm(len(scene.gaussians.frames), generator=torch.Generator().manual_seed(0))
    other = replace(scene, gaussians=scene.gaussians.replaced(FRAMES, scene.gaussians.frames[mixed]))
    for a, b in zip(scene_blocks(scene), scene_blocks(other), strict=True):
        assert (a.interval, len(a.gaussians)) == (b.interval, len(b.gaussians))


def test_only_what_is_chosen_and_not_too_faint_is_kept() -> None:
    scene = layered_scene()
    frames = scene.gaussians.frames
    frames.opacity_logits[:100] = -6.0
    chosen = torch.ones(scene.gaussians.count, dtype=torch.bool)
    chosen[50:300] = False
    chosen[-7:] = False
    blocks = scene_blocks(scene, chosen)
    assert rows_in(blocks) == scene.gaussians.count - 300 - 7
    torch.testing.assert_close(blocks[0].gaussians.means[0], frames.means[300])


def test_constant_gaussians_are_told_from_the_camera_that_came_near() -> None:
    scene = layered_scene()
    c2w = scene.cameras.c2w.clone()
    c2w[-1, :3, 3] = torch.tensor([0.0, 0.0, 1.95])
    blocks = scene_blocks(replace(scene, cameras=replace(scene.cameras, c2w=c2w)))
    walls = [block for block in blocks if block.layer == 1]
    assert len(walls) == 2
    for block in walls:
        distances = torch.cdist(block.gaussians.means, c2w[:, :3, 3])
        last = bool((block.origin == c2w[-1, :3, 3].double()).all())
        assert bool(((distances[:, -1] < 0.5 * distances[:, FRAME_COUNT // 2]) == last).all())


def sheen(scene, strength: float):
    """The scene with harmonics up to degree 2."""
    random = torch.Generator().manual_seed(3)

    def shiny(layer):
        rest = strength * torch.randn(len(layer), 8, 3, generator=random)
        return layer.with_(sh=torch.cat([layer.sh, rest], dim=1))

    return replace(scene, gaussians=scene.gaussians.map(shiny))


def test_higher_harmonics_are_seen_from_the_clips_camera() -> None:
    scene = sheen(layered_scene(), 0.3)
    block = scene_blocks(scene)[1]
    rows = scene.gaussians.frames
    rows = rows[rows.interval[:, 1] == 0.5]
    expected = sh_colors(rows.sh, rows.means, scene.cameras.viewmats[2], 2)
    torch.testing.assert_close(0.5 + SH_C0 * block.gaussians.sh[:, 0], expected)
    assert block.gaussians.sh.shape[1] == 1


def test_evaluated_harmonics_look_better_than_dropped_ones() -> None:
    scene = sheen(layered_scene(), 0.2)
    kept = torch.cat([block.gaussians.sh for block in scene_blocks(scene)])
    start, evaluated = 0, {}
    for name, layer in scene.gaussians.items():
        evaluated[name] = layer.with_(sh=kept[start : start + len(layer)])
        start += len(layer)
    dropped = scene.gaussians.map(lambda layer: layer.with_(sh=layer.sh[:, :1]))

    def picture(gaussians) -> torch.Tensor:
        own = scene.cameras[[1]]
        return draw_layers(gaussians, 0.25, own.viewmats, own.K, own.width, own.height).rgb[0]

    true = picture(scene.gaussians)
    assert agreement(picture(type(scene.gaussians)(evaluated)), true) > agreement(picture(dropped), true) + 15
