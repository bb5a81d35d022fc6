"""Codes of places beside patches, and that they are off where nothing asks for them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.patches import make_patch_embed, place_code
from tests.networks.neoverse.tiny import TINY


def test_places_tell_equal_patches_apart_on_grids_of_any_size() -> None:
    plain = make_patch_embed(TINY)
    placed = make_patch_embed(replace(TINY, positions=True))
    placed.load_state_dict(plain.state_dict())
    side = TINY.patch_size
    grey = torch.full((1, 3, 3 * side, 5 * side), 0.5)
    same, apart = plain(grey)[0], placed(grey)[0]
    assert torch.allclose(same, same[:1].expand_as(same))
    distances = torch.cdist(apart, apart)
    assert distances[~torch.eye(15, dtype=torch.bool)].min() > 0.5
    # Neighbours are nearer than the far corner.
    assert distances[0, 1] < distances[0, 14]
    assert torch.allclose(apart - same, place_code(TINY.embed_dim, 3, 5).flatten(1).T, atol=1e-6)
    assert placed(grey[:, :, :side, :side]).isfinite().all()


def test_a_backbone_has_positions_of_its_own() -> None:
    with pytest.raises(SettingsError, match="positions is for patch_embed conv"):
        NetworkArchitecture(positions=True).validate()
