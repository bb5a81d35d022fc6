"""Sizes in whole patches, and pixels carried to them and back."""

from __future__ import annotations

import pytest
import torch

from neoverse_ns.geometry.projection import project
from neoverse_ns.reconstruct.feedforward.sizing import PATCH, STRETCH, NetworkSize, network_size


@pytest.mark.parametrize(
    ("clip", "longest", "expected"),
    [
        ((560, 336), 560, (560, 336)),
        ((560, 320), 560, (560, 322)),
        ((320, 560), 560, (322, 560)),
        ((1920, 1088), 560, (560, 322)),
        ((384, 224), 560, (378, 224)),
        ((16, 16), 560, (14, 14)),
    ],
)
def test_sizes(clip: tuple[int, int], longest: int, expected: tuple[int, int]) -> None:
    assert network_size(*clip, longest).network == expected


@pytest.mark.parametrize("clip", [(560, 304), (384, 208), (640, 272), (240, 432), (400, 400), (128, 80)])
def test_whole_patches_hardly_distorted_and_not_much_smaller(clip: tuple[int, int]) -> None:
    width, height = network_size(*clip, 560).network
    assert width % PATCH == 0
    assert height % PATCH == 0
    assert 0.8 * min(max(clip), 560) <= max(width, height) <= 560
    if min(clip) > 200:
        assert abs(width / height / (clip[0] / clip[1]) - 1) <= STRETCH


def test_a_point_keeps_its_relative_place() -> None:
    size = NetworkSize((96, 64), (84, 70))
    K = torch.tensor([[90.0, 0, 40], [0, 80, 33], [0, 0, 1]])
    point, eye = torch.tensor([[0.2, -0.1, 1.5]]), torch.eye(4)
    clip, _ = project(point, eye, K)
    network, _ = project(point, eye, size.intrinsics_to_network(K))
    torch.testing.assert_close(network[0] / torch.tensor([84.0, 70.0]), clip[0] / torch.tensor([96.0, 64.0]))
    torch.testing.assert_close(size.intrinsics_to_clip(size.intrinsics_to_network(K)), K)


def test_images_are_scaled_whole() -> None:
    size = NetworkSize((96, 64), (84, 70))
    ramp = (torch.arange(96) * 2).to(torch.uint8).expand(64, 96)
    images = size.images(torch.stack([ramp, ramp, 100 + 0 * ramp], -1)[None])
    assert images.shape == (1, 3, 70, 84)
    expected = ((torch.arange(84) + 0.5) * 96 / 84 - 0.5) * 2 / 255
    torch.testing.assert_close(images[0, 0, 35, 3:-3], expected[3:-3], atol=2e-3, rtol=0)
    torch.testing.assert_close(images[0, 2], torch.full((70, 84), 100 / 255))
    same = NetworkSize((84, 70), (84, 70)).images(torch.full((1, 70, 84, 3), 51, dtype=torch.uint8))
    torch.testing.assert_close(same, torch.full((1, 3, 70, 84), 0.2))


def test_maps_keep_their_values() -> None:
    size = NetworkSize((4, 2), (8, 6))
    maps = torch.tensor([[[1.0, 2, 3, 4], [5, 6, 7, 8]]])
    large = size.maps_to_network(maps)
    assert large.shape == (1, 6, 8)
    assert set(large.unique().tolist()) == set(range(1, 9))
    assert torch.equal(size.maps_to_clip(large), maps)
