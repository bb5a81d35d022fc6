"""Small vision transformers with the structure and the names of OpenAI's CLIP and of DINO, written by hand."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from neoverse_ns.metrics.vbench.tower import TowerShape

CLIP_SHAPE = TowerShape(width=128, layers=2, patch=16, side=64, embedding=32)
DINO_SHAPE = TowerShape(width=128, layers=2, patch=16, side=64, embedding=128)


class _ClipBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(width, width // 64, batch_first=True)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, 4 * width), "c_proj": nn.Linear(4 * width, width)})

    def forward(self, x: Tensor) -> Tensor:
        y = self.ln_1(x)
        x = x + self.attn(y, y, y, need_weights=False)[0]
        y = self.mlp["c_fc"](self.ln_2(x))
        return x + self.mlp["c_proj"](y * torch.sigmoid(1.702 * y))


class _Blocks(nn.Module):
    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.resblocks = nn.Sequential(*(_ClipBlock(shape.width) for _ in range(shape.layers)))


class _ClipVisual(nn.Module):
    def __init__(self, shape: TowerShape) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, shape.width, shape.patch, shape.patch, bias=False)
        self.class_embedding = nn.Parameter(torch.randn(shape.width))
        self.positional_embedding = nn.Parameter(torch.randn((shape.side // shape.patch) ** 2 + 1, shape.width))
        self.ln_pre, self.ln_post = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.transformer = _Blocks(shape)
        self.proj = nn.Parameter(torch.randn(shape.width, shape.embedding) / math.sqrt(shape.width))

    def forward(self, x: Tensor) -> Tensor:
        patches = self.conv1(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.class_embedding.expand(len(x), 1, -1), patches], 1) + self.positional_embedding
        return self.ln_post(self.transformer.resblocks(self.ln_pre(tokens))[:, 0]) @ self.proj


class OpenAIClip(nn.Module):
    """The image tower where OpenAI's files have it, with something of the text tower beside it."""

    def __init__(self, shape: TowerShape = CLIP_SHAPE, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.visual = _ClipVisual(shape)
        self.text_projection = nn.Parameter(torch.randn(8, shape.embedding))
        _shaken(self)

    def forward(self, x: Tensor) -> Tensor:
        return self.visual(x)


class _DinoBlock(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn = nn.ModuleDict({"qkv": nn.Linear(width, 3 * width), "proj": nn.Linear(width, width)})
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.heads = width // 64

    def forward(self, x: Tensor) -> Tensor:
        batch, count, width = x.shape
        qkv = self.attn["qkv"](self.norm1(x)).reshape(batch, count, 3, self.heads, 64).permute(2, 0, 3, 1, 4)
        share = (qkv[0] @ qkv[1].transpose(-2, -1) / 8).softmax(-1)
        x = x + self.attn["proj"]((share @ qkv[2]).transpose(1, 2).reshape(batch, count, width))
        y = self.mlp["fc1"](self.norm2(x))
        return x + self.mlp["fc2"](y * 0.5 * (1 + torch.erf(y / math.sqrt(2))))


class Dino(nn.Module):
    """DINO's vision transformer; gives all tokens after the last norm."""

    def __init__(self, shape: TowerShape = DINO_SHAPE, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.patch, self.grid = shape.patch, shape.side // shape.patch
        self.cls_token = nn.Parameter(torch.randn(1, 1, shape.width))
        self.pos_embed = nn.Parameter(torch.randn(1, self.grid**2 + 1, shape.width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, shape.width, shape.patch, shape.patch)})
        self.blocks = nn.Sequential(*(_DinoBlock(shape.width) for _ in range(shape.layers)))
        self.norm = nn.LayerNorm(shape.width, eps=1e-6)
        _shaken(self)

    def forward(self, x: Tensor) -> Tensor:
        rows, columns = (side // self.patch for side in x.shape[2:])
        patches = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token, patches], 1) + self._positions(rows, columns)
        return self.norm(self.blocks(tokens))

    def _positions(self, rows: int, columns: int) -> Tensor:
        if rows == columns == self.grid:
            return self.pos_embed
        learned = self.pos_embed[:, 1:].transpose(1, 2).unflatten(2, (self.grid, self.grid))
        # Looked up by hand, to say what the tenth of a patch does: source = (target + 1/2) / scale - 1/2.
        weights = [_cubic_weights(count, self.grid, self.grid / (count + 0.1)) for count in (rows, columns)]
        grid = torch.einsum("ra,cb,ndab->nrcd", *weights, learned)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(1, 2)], 1)


def _cubic_weights(targets: int, sources: int, step: float) -> Tensor:
    """Weights [targets, sources] of cubic convolution with a = -3/4, ends repeated."""
    weights = torch.zeros(targets, sources)
    for target in range(targets):
        place = (target + 0.5) * step - 0.5
        base = math.floor(place)
        for tap in range(base - 1, base + 3):
            d = abs(place - tap)
            a = -0.75
            near = (a + 2) * d**3 - (a + 3) * d**2 + 1
            far = a * (d**3 - 5 * d**2 + 8 * d - 4)
            weights[target, min(max(tap, 0), sources - 1)] += near if d <= 1 else far if d < 2 else 0.0
    return weights


def _shaken(module: nn.Module) -> None:
    """Norms and biases that are not at their start, so that one in the wrong place is seen."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    module.eval().requires_grad_(False)
