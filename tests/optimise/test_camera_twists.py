"""Corrections of cameras: the matrix exponential, and who follows whom."""

from __future__ import annotations

import numpy as np
import torch
from scipy.linalg import expm

from neoverse_ns.optimise.camera_twists import CameraTwists, corrected
from tests.plugin.tiny_scene import tiny_cameras

TRAIN, HELD_OUT = [0, 1, 3, 4, 5, 7, 8], [2, 6]
VIEWMATS = tiny_cameras().viewmats


def twists() -> CameraTwists:
    module = CameraTwists(TRAIN, HELD_OUT)
    module.adjustment.data = 0.05 * torch.randn(len(TRAIN), 6, generator=torch.Generator().manual_seed(1))
    return module


def exponential(twist: torch.Tensor) -> np.ndarray:
    x, y, z, a, b, c = twist.detach().double().tolist()
    return expm(np.array([[0, -c, b, x], [c, 0, -a, y], [-b, a, 0, z], [0, 0, 0, 0]]))


def test_training_frames_are_corrected_from_the_left() -> None:
    module = twists()
    result = module(VIEWMATS[TRAIN], torch.tensor(TRAIN)).detach().numpy()
    for place, frame in enumerate(TRAIN):
        expected = exponential(module.adjustment[place]) @ VIEWMATS[frame].double().numpy()
        np.testing.assert_allclose(result[place], expected, atol=1e-6)


def test_held_out_frames_take_the_interpolation_of_their_neighbours() -> None:
    module = twists()
    result = module(VIEWMATS[HELD_OUT], torch.tensor(HELD_OUT)).detach().numpy()
    for place, (frame, before, after) in enumerate(((2, 1, 2), (6, 4, 5))):
        middle = 0.5 * (module.adjustment[before] + module.adjustment[after])
        np.testing.assert_allclose(result[place], exponential(middle) @ VIEWMATS[frame].double().numpy(), atol=1e-6)


def test_as_made_nothing_is_corrected_and_the_state_is_the_twists_alone() -> None:
    module = CameraTwists(TRAIN, HELD_OUT)
    torch.testing.assert_close(module(VIEWMATS, torch.arange(9)), VIEWMATS, rtol=0, atol=1e-7)
    assert list(module.state_dict()) == ["adjustment"]
    # Twists may be more exact than the matrices that they correct.
    assert corrected(VIEWMATS, torch.zeros(9, 6, dtype=torch.float64)).dtype == VIEWMATS.dtype


def test_gradients_reach_the_neighbours_of_the_frame_drawn() -> None:
    module = twists()
    module(VIEWMATS[2:3], torch.tensor([2]))[0, :3].sum().backward()
    assert module.adjustment.grad is not None
    touched = module.adjustment.grad.abs().sum(dim=1) > 0
    assert touched.tolist() == [frame in (1, 3) for frame in TRAIN]
