"""Numbers of a page, made real again by the formulas that its header promises."""

from __future__ import annotations

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from neoverse_ns.export.page.blocks import scene_blocks
from neoverse_ns.export.page.quantise import Columns, quantise, steps_for
from neoverse_ns.gaussians.dynamic import SH_C0
from tests.export.layered_scene import FOCAL, layered_scene
from tests.export.page.moving_scene import moving_scene

STEPS = steps_for(FOCAL)


def positions(columns: Columns, origin: np.ndarray) -> np.ndarray:
    azimuth, elevation = (columns[name] * STEPS.direction for name in ("azimuth", "elevation"))
    distance = np.exp(columns["distance"] * STEPS.distance)
    flat = distance * np.cos(elevation)
    away = [flat * np.sin(azimuth), distance * np.sin(elevation), flat * np.cos(azimuth)]
    return origin + np.stack(away, axis=-1)


def test_everything_comes_back_within_half_a_step() -> None:
    for block in scene_blocks(moving_scene()):
        columns, g = quantise([block], FOCAL, STEPS), block.gaussians
        origin = block.origin.numpy()
        away = np.linalg.norm(g.means.double().numpy() - origin, axis=1)
        error = np.linalg.norm(positions(columns, origin) - g.means.double().numpy(), axis=1)
        # Two directions and the distance, half a step each.
        allowed = 0.5 * np.sqrt(2 * STEPS.direction**2 + STEPS.distance**2)
        assert (error <= 1.01 * allowed * away).all()
        assert error.max() > 0.2 * allowed * away.min()
        distance = np.exp(columns["distance"] * STEPS.distance)
        np.testing.assert_allclose(columns["opacity"] * STEPS.opacity, g.opacities.numpy(), atol=0.51 * STEPS.opacity)
        rgb = np.stack([columns[name] for name in ("red", "green", "blue")], 1) * STEPS.colour
        np.testing.assert_allclose(rgb, (0.5 + SH_C0 * g.sh[:, 0]).clamp_min(0), atol=0.51 * STEPS.colour)
        turned, scales = shape(columns, distance)
        expected = covariance(rotation(g.quats), g.scales.double().numpy())
        size = np.linalg.norm(expected, axis=(1, 2))
        wrong = np.linalg.norm(covariance(turned, scales) - expected, axis=(1, 2)) / size
        # A step of scale, twice since variances are squares, and half a step of rotation round three axes.
        assert wrong.max() < 2 * STEPS.scale + 3 * STEPS.rotation
        if not block.dynamic:
            assert "motion_0" not in columns
            continue
        motion = np.stack([columns[f"motion_{i}"] for i in range(6)], 1) * STEPS.motion * distance[:, None]
        wrong = np.abs(motion - g.velocities.flatten(1).numpy()) / distance[:, None] * FOCAL
        assert wrong.max() <= 0.0501
        power = 1 / (1 - g.life_spans.double().numpy() + 1e-6)
        np.testing.assert_allclose(np.exp(columns["life"] * STEPS.life), power, rtol=0.0051)
        for side in (0, 1):
            turn = np.stack([columns[f"turn_{3 * side + i}"] for i in range(3)], 1) * STEPS.turn
            after = covariance(turned * Rotation.from_rotvec(turn), scales)
            moved = rotation(g.quats) * Rotation.from_rotvec(g.angular_velocities[:, side].double().numpy())
            expected = covariance(moved, g.scales.double().numpy())
            wrong = np.linalg.norm(after - expected, axis=(1, 2)) / np.linalg.norm(expected, axis=(1, 2))
            assert wrong.max() < 2 * STEPS.scale + 6 * STEPS.rotation


def rotation(wxyz: torch.Tensor) -> Rotation:
    return Rotation.from_quat(wxyz.double().numpy()[:, [1, 2, 3, 0]])


def shape(columns: Columns, distance: np.ndarray) -> tuple[Rotation, np.ndarray]:
    """Rotations and standard deviations."""
    vector = np.stack([columns[f"rotation_{i}"] for i in range(3)], 1) * STEPS.rotation
    scalar = np.sqrt(1 - (vector**2).sum(1))
    logs = [columns["scale_0"], columns["scale_0"] + columns["scale_1"], columns["scale_0"] + columns["scale_2"]]
    scales = np.exp(np.stack(logs, 1) * STEPS.scale) * distance[:, None]
    return Rotation.from_quat(np.column_stack([vector, scalar])), scales


def covariance(turned: Rotation, scales: np.ndarray) -> np.ndarray:
    axes = turned.as_matrix() * scales[:, None]
    return axes @ axes.transpose(0, 2, 1)


def test_balls_keep_neither_rotations_nor_turns() -> None:
    scene = layered_scene()
    (frames, *_) = scene_blocks(scene)
    spun = frames.gaussians.with_(
        quats=torch.randn(len(frames.gaussians), 4), angular_velocities=torch.ones(len(frames.gaussians), 2, 3)
    )
    block = type(frames)(frames.layer, frames.interval, frames.dynamic, frames.origin, spun)
    columns = quantise([block], FOCAL, STEPS)
    assert not any(columns[f"rotation_{i}"].any() for i in range(3))
    assert not any(name.startswith("turn") for name in columns)


def test_columns_of_blocks_follow_each_other() -> None:
    blocks = scene_blocks(moving_scene())
    columns = quantise(blocks, FOCAL, STEPS)
    total = sum(len(block.gaussians) for block in blocks)
    moving = sum(len(block.gaussians) for block in blocks if block.dynamic)
    assert {len(columns[name]) for name in ("azimuth", "opacity", "red")} == {total}
    assert {len(columns[name]) for name in ("life", "motion_5", "turn_0")} == {moving}
