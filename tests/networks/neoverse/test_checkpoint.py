"""Networks come back from disk exactly, whatever the layout; what cannot be loaded says why."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from neoverse_ns.errors import WeightsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.checkpoint import (
    ARCHITECTURE_FILE,
    inspect_weights,
    load_network,
    reconstructor_weights,
    require_whole,
    save_network,
    type_in,
)
from neoverse_ns.networks.neoverse.deduce import deduce_architecture
from neoverse_ns.weights.assign import assign_weights
from neoverse_ns.weights.read import WeightsFile
from tests.fixtures.published import FOLDERS, read_json
from tests.networks.neoverse.small_network import TINY, UNEVEN, assert_same_predictions, images, small_network


@pytest.mark.parametrize("name", ["reconstructor.ckpt", "wrapped.ckpt", "own.safetensors", "w.safetensors.index.json"])
def test_the_loaded_network_predicts_what_the_saved_one_did(tmp_path: Path, name: str) -> None:
    network = small_network()
    state = network.state_dict()
    if name == "reconstructor.ckpt":
        torch.save(state, tmp_path / name)
    elif name == "wrapped.ckpt":
        torch.save({"state_dict": {f"model.{key}": value for key, value in state.items()}}, tmp_path / name)
    elif name == "own.safetensors":
        save_file(state, tmp_path / name)
    else:
        parts = {key: f"w-{i % 2}.safetensors" for i, key in enumerate(state)}
        for part in set(parts.values()):
            save_file({key: state[key] for key, of in parts.items() if of == part}, tmp_path / part)
        (tmp_path / name).write_text(json.dumps({"weight_map": parts}))
    loaded, weights = load_network(reconstructor_weights(str(tmp_path / name)))
    assert loaded.architecture == TINY
    assert weights.identity == inspect_weights(tmp_path / name).identity
    assert_same_predictions(network, loaded)


@pytest.mark.parametrize("name", ["own.ckpt", "own.safetensors"])
def test_own_networks_carry_their_architecture(tmp_path: Path, name: str) -> None:
    network = small_network(UNEVEN)
    save_network(network, tmp_path / "deep" / name)
    loaded, weights = load_network(tmp_path / "deep" / name)
    assert weights.architecture == UNEVEN
    assert_same_predictions(network, loaded)
    require_whole(inspect_weights(tmp_path / "deep" / name))


def test_an_architecture_beside_the_weights(tmp_path: Path) -> None:
    network = small_network(UNEVEN)
    torch.save(network.state_dict(), tmp_path / "w.ckpt")
    with pytest.raises(WeightsError, match=r"w\.ckpt: which of the trunk's 6 layers .*architecture\.json"):
        load_network(tmp_path / "w.ckpt")
    (tmp_path / ARCHITECTURE_FILE).write_text(UNEVEN.to_json())
    assert_same_predictions(network, load_network(tmp_path / "w.ckpt")[0])
    # Another width than the weights have: named key by key, not loaded in part.
    (tmp_path / ARCHITECTURE_FILE).write_text(dataclasses.replace(UNEVEN, features=8).to_json())
    with pytest.raises(WeightsError, match=r"of another shape \(pts_head\.scratch\.layer1_rn\.weight: \[16, 8"):
        load_network(tmp_path / "w.ckpt")
    (tmp_path / ARCHITECTURE_FILE).write_text('{"depth": 6, "width": 3}')
    with pytest.raises(WeightsError, match=r"architecture\.json\) cannot be used"):
        load_network(tmp_path / "w.ckpt")


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("case", ["reconstructor_keys", "tiny_dynamic", "vits_dynamic"])
def test_sizes_are_read_off_the_shapes(case: str, folder: Path) -> None:
    document = read_json(folder, case)
    shapes = {key: tuple(shape) for key, shape in document.get("keys", document).items()}
    if case == "reconstructor_keys":
        expected = NetworkArchitecture()
    else:
        c = document["config"]
        sizes = (c["embed_dim"], c["depth"], c["heads"], tuple(c["idx"]), c["gs_dim"], c["features"], tuple(c["outc"]))
        expected = NetworkArchitecture(c["patch_embed"], *sizes)
    assert deduce_architecture(shapes) == expected


def test_what_is_no_reconstructor_says_so() -> None:
    shapes = {key: tuple(value.shape) for key, value in small_network().state_dict().items()}
    with pytest.raises(
        WeightsError, match=r"not a NeoVerse reconstructor's: visual_.*cam_token .*\(first: conv\.weight"
    ):
        deduce_architecture({"conv.weight": (3, 3)})
    with pytest.raises(WeightsError, match=r"depth_head\.projects\.3\.weight is missing"):
        deduce_architecture({key: shape for key, shape in shapes.items() if "projects.3" not in key})
    with pytest.raises(WeightsError, match=r"cam_token has shape \[32\]"):
        deduce_architecture(shapes | {"visual_geometry_transformer.cam_token": (32,)})


def test_partly_matching_weights_are_never_loaded(tmp_path: Path) -> None:
    state = small_network().state_dict()
    lost = [key for key in state if key.startswith("velocity_fwd_head")]
    torch.save({key: value for key, value in state.items() if key not in lost}, tmp_path / "w.ckpt")
    with pytest.raises(WeightsError, match=rf"{len(lost)} of {len(state):,} tensors missing \({lost[0]}, "):
        load_network(tmp_path / "w.ckpt")
    with pytest.raises(WeightsError, match=rf"{len(lost)} of"):
        require_whole(inspect_weights(tmp_path / "w.ckpt"))


def test_sha256_is_checked_where_given(tmp_path: Path) -> None:
    path = tmp_path / "w.ckpt"
    torch.save(small_network().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    load_network(reconstructor_weights(str(path), sha256=digest))
    with pytest.raises(WeightsError, match="SHA-256"):
        load_network(reconstructor_weights(str(path), sha256="a" * 64))


def test_sources_with_a_revision(tmp_path: Path) -> None:
    config = reconstructor_weights("someone/network@v2")
    assert (config.source, config.revision, config.file) == ("someone/network", "v2", "reconstructor.ckpt")
    assert reconstructor_weights().source == "Yuppie1204/NeoVerse"
    place = tmp_path / "at@home.ckpt"
    place.touch()
    assert reconstructor_weights(str(place)).local == place


def test_stored_bfloat16_changes_nothing_in_mixed_precision() -> None:
    network = small_network()
    state = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.device("meta"):
        half = small_on_meta()
    assign_weights(half, WeightsFile(Path("w"), state), type_in("bfloat16"))
    types = {key: value.dtype for key, value in half.state_dict().items()}
    assert types["visual_geometry_transformer.global_blocks.3.mlp.fc1.weight"] == torch.bfloat16
    assert types["visual_geometry_transformer.motion_bwd_blocks.0.cross_attn.projq.weight"] == torch.bfloat16
    assert types["visual_geometry_transformer.frame_blocks.0.norm1.weight"] == torch.float32
    assert types["depth_head.projects.0.weight"] == torch.float32
    truth, found = (n(images(), mixed_precision=True).tensors() for n in (network, half))
    for name, value in truth.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0, msg=name)


def small_on_meta() -> torch.nn.Module:
    from neoverse_ns.networks.neoverse.model import NeoVerseNetwork

    return NeoVerseNetwork(TINY)
