"""Flow beside ignored pixels: what a standing edge drags along is measured right, and nothing near it is believed."""

from __future__ import annotations

import numpy as np
import torch

from neoverse_ns.reconstruct.bundle.flow.dense_flow import FlowField, measure_flow, to_gray
from neoverse_ns.reconstruct.bundle.flow.masked_flow import distrusted, filled_frames, without_trust
from tests.reconstruct.bundle import overlays
from tests.reconstruct.bundle.scenes import path, room_clip


def test_flow_beside_a_bonnet_is_that_of_the_world() -> None:
    clean = room_clip(path(2, move=0.12), 0.8)[0].frames.numpy()
    frames, mask = overlays.bonnet(clean)
    masks = np.broadcast_to(mask, frames.shape[:3])
    near = distrusted(mask)
    near = distrusted(near) & ~near
    truth = measure_flow(to_gray(clean), {(0, 1): None}, 1.5).flow[0, 1]
    error = {}
    for name, images in (("as it is", frames), ("filled", filled_frames(frames, masks))):
        flow = measure_flow(to_gray(images), {(0, 1): None}, 1.5).flow[0, 1]
        error[name] = np.linalg.norm(flow - truth, axis=-1)[near].mean()
    assert error["filled"] < 0.5 * error["as it is"]


def test_flow_that_starts_or_ends_near_ignored_pixels_is_not_believed() -> None:
    flow = np.zeros((40, 60, 2), np.float32)
    flow[..., 0] = 10
    ignored = np.zeros((2, 40, 60), bool)
    ignored[0, :, 20:22] = True
    ignored[1, :, 50:52] = True
    confidence = np.full((40, 60), 0.7, np.float32)
    trusted = without_trust(FlowField({(0, 1): flow}, {(0, 1): confidence}), ignored).confidence[0, 1]
    columns = np.flatnonzero(trusted[20] == 0)
    assert columns.tolist() == [*range(16, 26), *range(36, 46)]
    assert set(np.unique(trusted)) == {np.float32(0), np.float32(0.7)}


def test_a_frame_of_which_nothing_is_left_is_grey() -> None:
    frames = np.random.default_rng(0).integers(0, 255, (2, 32, 48, 3)).astype(np.uint8)
    ignored = np.zeros((2, 32, 48), bool)
    ignored[1] = True
    filled = filled_frames(frames, ignored)
    assert np.array_equal(filled[0], frames[0])
    assert (filled[1] == 128).all()
    assert torch.from_numpy(frames[1]).float().std() > 10
