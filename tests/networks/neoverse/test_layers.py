"""Building blocks against closed forms and another library."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor, nn

from neoverse_ns.networks.neoverse.architecture import VISION_TRANSFORMERS, VisionTransformerSize
from neoverse_ns.networks.neoverse.attention import CrossAttention, SelfAttention
from neoverse_ns.networks.neoverse.camera_head import camera_matrices
from neoverse_ns.networks.neoverse.dense_head import PatchUpsampling
from neoverse_ns.networks.neoverse.fusion import FusionBlock, ResidualUnit
from neoverse_ns.networks.neoverse.patches import DepthPatches, DinoV2
from neoverse_ns.networks.neoverse.rotary import RotaryTable, patch_positions
from neoverse_ns.networks.neoverse.uv_code import uv_code


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_positions_of_tokens() -> None:
    positions = patch_positions(2, 3, specials=2)
    assert positions.tolist() == [[0, 0], [0, 0], [1, 1], [1, 2], [1, 3], [2, 1], [2, 2], [2, 3]]


def test_rotation_is_multiplication_by_unit_complex_numbers() -> None:
    x, positions = normal(1, 2, 5, 16), torch.tensor([[0, 0], [1, 4], [2, 3], [7, 1], [30, 20]])
    turned = RotaryTable.of(positions, 16, torch.float64).rotate(x)
    for axis in range(2):
        half = x[..., 8 * axis : 8 * axis + 8].numpy()
        angle = positions[:, axis, None].numpy() / 100.0 ** (np.arange(4) / 4)
        expected = (half[..., :4] + 1j * half[..., 4:]) * np.exp(1j * angle)
        mine = turned[..., 8 * axis : 8 * axis + 8].numpy()
        np.testing.assert_allclose(mine, np.concatenate([expected.real, expected.imag], -1), atol=1e-12)
    assert torch.equal(turned[:, :, 0], x[:, :, 0])


def test_attention_sees_only_how_far_apart_tokens_are() -> None:
    q, k = normal(1, 1, 1, 8), normal(1, 1, 1, 8, seed=1)
    products = []
    for row, column in ((0, 0), (5, 2), (20, 31)):
        table_q = RotaryTable.of(torch.tensor([[row, column]]), 8, torch.float64)
        table_k = RotaryTable.of(torch.tensor([[row + 3, column + 1]]), 8, torch.float64)
        products.append(float((table_q.rotate(q) * table_k.rotate(k)).sum()))
    assert products == pytest.approx([products[0]] * 3, rel=1e-12)


def test_self_attention_is_torchs() -> None:
    mine = SelfAttention(16, 4, qk_norm=False).double()
    reference = nn.MultiheadAttention(16, 4, batch_first=True).double()
    with torch.no_grad():
        reference.in_proj_weight.copy_(mine.qkv.weight)
        reference.in_proj_bias.copy_(mine.qkv.bias)
        reference.out_proj.load_state_dict(mine.proj.state_dict())
        x = normal(2, 7, 16)
        torch.testing.assert_close(mine(x), reference(x, x, x, need_weights=False)[0], atol=1e-12, rtol=0)


def test_cross_attention_by_hand() -> None:
    """One query token at a time, with its own softmax."""
    layer = CrossAttention(16, 2).double()
    x, y = normal(1, 3, 16), normal(1, 5, 16, seed=1)
    table_x = RotaryTable.of(patch_positions(1, 3, 0), 8, torch.float64)
    table_y = RotaryTable.of(patch_positions(1, 5, 0), 8, torch.float64)
    with torch.no_grad():
        for norm in (layer.q_norm, layer.k_norm):
            norm.weight.copy_(1 + 0.3 * normal(8, seed=3))
            norm.bias.copy_(normal(8, seed=4))
        result = layer(x, y, table_x, table_y)

        def heads(linear: nn.Linear, tokens: Tensor) -> Tensor:
            return linear(tokens).reshape(1, -1, 2, 8).transpose(1, 2)

        q = table_x.rotate(layer.q_norm(heads(layer.projq, x)))
        k = table_y.rotate(layer.k_norm(heads(layer.projk, y)))
        v = heads(layer.projv, y)
        rows = []
        for token in range(3):
            parts = []
            for head in range(2):
                weights = torch.softmax(k[0, head] @ q[0, head, token] / math.sqrt(8), dim=0)
                parts.append(weights @ v[0, head])
            rows.append(torch.cat(parts))
        torch.testing.assert_close(result[0], layer.proj(torch.stack(rows)), atol=1e-12, rtol=0)


@pytest.mark.parametrize("size", [(70, 70), (42, 56), (84, 28)])
def test_dinov2_is_that_of_transformers(size: tuple[int, int]) -> None:
    """Two blocks of it, at the size of the position table and at sizes it must be resized to."""
    transformers = pytest.importorskip("transformers")
    small = VISION_TRANSFORMERS["dinov2_vits14_reg"]
    mine = DinoV2(VisionTransformerSize(small.embed_dim // 4, 2, 3), 14, 70).double().eval()
    config = transformers.Dinov2WithRegistersConfig(
        hidden_size=96, num_hidden_layers=2, num_attention_heads=3, image_size=70, patch_size=14, num_register_tokens=4
    )
    reference = transformers.Dinov2WithRegistersModel(config).double().eval()
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in mine.parameters():
            parameter.copy_(0.2 * torch.randn(parameter.shape, generator=random))
        state = {
            "embeddings.cls_token": mine.cls_token,
            "embeddings.mask_token": mine.mask_token,
            "embeddings.register_tokens": mine.register_tokens,
            "embeddings.position_embeddings": mine.pos_embed,
            "embeddings.patch_embeddings.projection.weight": mine.patch_embed.proj.weight,
            "embeddings.patch_embeddings.projection.bias": mine.patch_embed.proj.bias,
            "layernorm.weight": mine.norm.weight,
            "layernorm.bias": mine.norm.bias,
        }
        for number, block in enumerate(mine.blocks):
            prefix = f"encoder.layer.{number}."
            for kind in ("weight", "bias"):
                parts = getattr(block.attn.qkv, kind).chunk(3)
                for name, part in zip(("query", "key", "value"), parts, strict=True):
                    state[f"{prefix}attention.attention.{name}.{kind}"] = part
                state[f"{prefix}attention.output.dense.{kind}"] = getattr(block.attn.proj, kind)
                for name in ("norm1", "norm2", "mlp.fc1", "mlp.fc2"):
                    state[f"{prefix}{name}.{kind}"] = getattr(block.get_submodule(name), kind)
            state[f"{prefix}layer_scale1.lambda1"] = block.ls1.gamma
            state[f"{prefix}layer_scale2.lambda1"] = block.ls2.gamma
        reference.load_state_dict(state)
        images = normal(2, 3, *size)
        expected = reference(images).last_hidden_state[:, 5:]
        # It resizes the table in single precision, whatever the weights' precision.
        torch.testing.assert_close(mine(images), expected, atol=2e-6, rtol=1e-5)


def test_transformers_dinov2_has_no_place_for_the_published_tensors() -> None:
    """Why the module is ours: the published file holds queries, keys and values as one tensor, transformers as three.

    Files are read and written tensor by tensor, their names and shapes being the network's own; and the trunk needs the
    same blocks, which transformers' module does not lend.
    """
    transformers = pytest.importorskip("transformers")
    size = VISION_TRANSFORMERS["dinov2_vits14_reg"]
    with torch.device("meta"):
        mine = DinoV2(size, 14, 518)
        config = transformers.Dinov2WithRegistersConfig(
            hidden_size=size.embed_dim, num_hidden_layers=size.depth, num_attention_heads=size.heads,
            image_size=518, patch_size=14,
        )  # fmt: skip
        theirs = transformers.Dinov2WithRegistersModel(config)
    shapes, others = (Counter(tuple(t.shape) for t in model.state_dict().values()) for model in (mine, theirs))
    width = size.embed_dim
    assert shapes - others == {(3 * width, width): size.depth, (3 * width,): size.depth}
    assert others - shapes == {(width, width): 3 * size.depth, (width,): 3 * size.depth}
    assert sum(p.numel() for p in mine.parameters()) == sum(p.numel() for p in theirs.parameters())


def test_depth_patches_read_their_own_pixels() -> None:
    layer = DepthPatches(8, 14)
    depth = torch.rand(1, 28, 42, generator=torch.Generator().manual_seed(0))
    changed = depth.clone()
    changed[0, 20, 30] += 1  # row 1, column 2 of the patches
    with torch.no_grad():
        differs = (layer(depth) != layer(changed)).any(-1)[0]
    assert differs.nonzero().flatten().tolist() == [5]


def test_uv_code_value_by_value() -> None:
    code = uv_code(8, 2, 3, aspect=1.5, dtype=torch.float64)
    diagonal = math.sqrt(1.5**2 + 1)
    for row in range(2):
        for column in range(3):
            # Centres of equal cells of a rectangle whose half diagonal is one.
            x = (2 * (column + 0.5) / 3 - 1) * 1.5 / diagonal
            y = (2 * (row + 0.5) / 2 - 1) / diagonal
            waves = [f(p * w) for p in (x, y) for f in (math.sin, math.cos) for w in (1.0, 0.1)]
            assert code[:, row, column].tolist() == pytest.approx(waves, abs=1e-12)


@pytest.mark.parametrize("factor", [2, 4])
def test_patch_upsampling_is_a_transposed_convolution(factor: int) -> None:
    layer = PatchUpsampling(4, factor).double()
    x = normal(2, 4, 3, 5)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), nn.ConvTranspose2d.forward(layer, x), atol=1e-12, rtol=0)


def test_skip_of_a_residual_unit_is_rectified() -> None:
    unit = ResidualUnit(4).double()
    x = normal(1, 4, 5, 6)
    with torch.no_grad():
        expected = unit.conv2(unit.conv1(x.relu()).relu()) + x.relu()
        torch.testing.assert_close(unit(x), expected)
        nn.init.zeros_(unit.conv2.weight)
        nn.init.zeros_(unit.conv2.bias)
        assert torch.equal(unit(x), x.relu())


def test_fusion_resizes_to_corners_then_projects() -> None:
    block = FusionBlock(4, residual=True).double()
    coarse, fine = normal(1, 4, 3, 4), normal(1, 4, 3, 4, seed=1)
    with torch.no_grad():
        inner = block.resConfUnit2(coarse + block.resConfUnit1(fine))
        wide = nn.functional.interpolate(inner, scale_factor=2, mode="bilinear", align_corners=True)
        torch.testing.assert_close(block(coarse, fine), block.out_conv(wide), atol=1e-12, rtol=0)
        assert block(coarse, None, (5, 9)).shape == (1, 4, 5, 9)


def test_camera_matrices_are_scipys_and_ignore_the_quaternions_length() -> None:
    params = normal(1, 6, 9)
    params[..., 7:] = params[..., 7:].abs() + 0.3
    c2w, K = camera_matrices(params, 100, 200)
    w2c = torch.linalg.inv(c2w)[0].numpy()
    np.testing.assert_allclose(w2c[:, :3, :3], Rotation.from_quat(params[0, :, 3:7].numpy()).as_matrix(), atol=1e-12)
    np.testing.assert_allclose(w2c[:, :3, 3], params[0, :, :3].numpy(), atol=1e-12)
    torch.testing.assert_close(2 * torch.atan(50 / K[..., 1, 1]), params[..., 7])
    torch.testing.assert_close(2 * torch.atan(100 / K[..., 0, 0]), params[..., 8])
    assert K[0, 0, :2, 2].tolist() == [100, 50]
    longer = params.clone()
    longer[..., 3:7] *= 2.5
    torch.testing.assert_close(camera_matrices(longer, 100, 200)[0], c2w)
