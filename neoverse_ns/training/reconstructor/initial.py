"""The network that training begins with: published weights, WorldMirror's, or new ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.console import say
from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.blocks import Block, CrossBlock, LayerScale
from neoverse_ns.networks.neoverse.checkpoint import (
    RELEASED_REPOSITORY,
    inspect_weights,
    load_network,
    reconstructor_weights,
)
from neoverse_ns.networks.neoverse.dense_head import DenseHead
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.trunk import GeometryTransformer
from neoverse_ns.training.data.sets.world_clip import WorldClip
from neoverse_ns.training.reconstructor.parameter_groups import NEW_IN_NEOVERSE
from neoverse_ns.weights.config import WeightsConfig
from neoverse_ns.weights.hub import obtain_weights
from neoverse_ns.weights.match import common_prefix, require_match

WORLDMIRROR_REPOSITORY, WORLDMIRROR_FILE = "tencent/HunyuanWorld-Mirror", "model.safetensors"

_NORMAL_HEAD = "norm_head."
_MOTION_HEADS = ("velocity_fwd_head", "velocity_bwd_head", "gs_fwd_attr_head", "gs_bwd_attr_head")
_PUBLISHED_SIDE = 560
"""Longest side of the pictures for which the release's first size of a Gaussian is made."""
_FIRST_VIEW = math.radians(60)
_HOW = ("pass --initial.download", "or give your own copy with --initial.weights")
_TOKENS = 0.02
"""Standard deviation of new special tokens."""
_LIVELY = 2.0
"""Logit of first life spans. As short as the release begins them, so little is drawn between keyframes that nothing is
judged there, and what is drawn at keyframes alone says nothing of life spans."""
_WORLDS, _FRAMES = 16, (0, 6, 12)
"""Pictures that a new network looks at once."""
_SHARPNESS = 3.0
"""Gain of queries that begin as matches: what is alike counts e^9 times as much as what has nothing in common."""


@dataclass
class InitialConfig:
    """What training begins with."""

    start: Literal["published", "worldmirror", "scratch"] = "worldmirror"
    """`worldmirror`, as in the paper, takes WorldMirror's weights, to which the motion branch is added; `published`
    goes on from NeoVerse's own, or any checkpoint of this command; `scratch` begins with random weights of any size."""
    weights: str | None = None
    """A file, a folder, or a hub id with `@revision`; by default the published ones. They have terms of their own."""
    download: bool = False
    """Whether weights that are not on this machine may be downloaded."""

    def validate(self) -> None:
        """Raise SettingsError where the settings contradict each other."""
        if self.start == "scratch" and self.weights is not None:
            raise SettingsError(f"initial.weights are for another start than scratch, got {self.weights}")


def starting_network(
    config: InitialConfig, architecture: NetworkArchitecture, seed: int, longest_side: int, tell: bool = True
) -> NeoVerseNetwork:
    """The network, on the CPU in float32, ready to learn: all of it but what nothing trains.

    Args:
        config: Where its weights come from.
        architecture: Its size from scratch; weights tell their own.
        seed: Of what is new.
        longest_side: Of the pictures, in pixels; new Gaussians are about as large as a pixel.
        tell: Say which weights it begins with.

    Raises:
        WeightsError: The weights are not here, damaged, or another network's.
        SettingsError: A setting cannot mean anything.
    """
    config.validate()
    if config.start == "published":
        source = reconstructor_weights(config.weights or RELEASED_REPOSITORY, None, config.download)
        network, known = load_network(obtain_weights(source, *_HOW))
        if tell:
            say(f"beginning with {known.file.path}")
        for parameter in network.parameters():
            # The file's own pages are never written to.
            parameter.data = parameter.data.clone()
    elif config.start == "worldmirror":
        network = _from_worldmirror(config, seed)
    else:
        network = _seeded(architecture, seed)
        _first_guesses(network, longest_side)
    return let_learn(network)


def let_learn(network: NeoVerseNetwork) -> NeoVerseNetwork:
    """Set every parameter to learn, but DINOv2's mask token and the embeddings of priors, which nothing reads here."""
    for name, parameter in network.named_parameters():
        parts = name.split(".")
        parameter.requires_grad_(
            parts[-1] != "mask_token" and parts[1] not in ("pose_embed", "depth_embed", "ray_embed")
        )
    return network.train()


def _from_worldmirror(config: InitialConfig, seed: int) -> NeoVerseNetwork:
    source = reconstructor_weights(config.weights or WORLDMIRROR_REPOSITORY, None, config.download)
    path = obtain_weights(
        WeightsConfig(source.source, WORLDMIRROR_FILE, source.revision, download=config.download), *_HOW
    )
    found = inspect_weights(path)
    network = _seeded(found.architecture, seed)
    begin_motion(network)
    own = network.state_dict()
    old = {key: tuple(value.shape) for key, value in own.items() if not key.startswith(NEW_IN_NEOVERSE)}
    prefix = common_prefix(found.file.tensors, old)
    tensors = {key.removeprefix(prefix): value for key, value in found.file.tensors.items()}
    tensors = {key: value for key, value in tensors.items() if not key.startswith(_NORMAL_HEAD)}
    require_match(old, {key: tuple(value.shape) for key, value in tensors.items()}, str(path))
    network.load_state_dict(tensors, strict=False)
    _copy_static_stack(network)
    say(f"beginning with {path}: {len(tensors):,} tensors, and {len(own) - len(tensors):,} new ones for motion")
    return network


def _seeded(architecture: NetworkArchitecture, seed: int) -> NeoVerseNetwork:
    """Random weights; the caller's own random numbers go on as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return NeoVerseNetwork(architecture)


@torch.no_grad()
def begin_motion(network: NeoVerseNetwork) -> None:
    """Let nothing move nor turn at first: the last convolutions of motion become zero."""
    for name in _MOTION_HEADS:
        head = network.get_submodule(name)
        assert isinstance(head, DenseHead)
        last = head.scratch.output_conv2[-1]
        assert isinstance(last, nn.Conv2d)
        nn.init.zeros_(last.weight)
        if last.bias is not None:
            nn.init.zeros_(last.bias)


@torch.no_grad()
def _copy_static_stack(network: NeoVerseNetwork) -> None:
    """The stack of moving Gaussians begins as that of static ones; only its last channel, the life span, is new."""
    static, dynamic = network.gs_renderer.gs_head, network.gs_renderer.gs_head_dynamic
    for (name, value), own in zip(static.state_dict().items(), dynamic.state_dict().values(), strict=True):
        if name.startswith("2."):
            own[:-1].copy_(value[:-1])
        else:
            own.copy_(value)


@torch.no_grad()
def _first_guesses(network: NeoVerseNetwork, longest_side: int) -> None:
    """Begin from scratch where gradients reach everything: looking ahead, Gaussians of a pixel, nothing moving."""
    begin_motion(network)
    for module in network.modules():
        # The hundredth that trained trunks begin new blocks with grows by a learning rate a step: for thousands of
        # steps nothing would be told from another frame.
        if isinstance(module, LayerScale):
            nn.init.ones_(module.gamma)
    trunk = network.visual_geometry_transformer
    for token in (trunk.cam_token, trunk.reg_token, trunk.motion_tokens):
        token.copy_(token / 1e-6 * _TOKENS)
    camera = network.cam_head.param_predictor.fc2
    # Every round adds the same bias. Fields of view that begin below 0 would be cut off, and never learn.
    first = torch.tensor([0, 0, 0, 0, 0, 0, 1, _FIRST_VIEW, _FIRST_VIEW]) / network.cam_head.ROUNDS
    camera.weight.mul_(0.1)
    camera.bias.copy_(first)
    for stack in (network.gs_renderer.gs_head, network.gs_renderer.gs_head_dynamic):
        last = stack.get_submodule("2")
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        last.bias[4:7] += math.log(_PUBLISHED_SIDE / longest_side)
        if stack is network.gs_renderer.gs_head_dynamic:
            last.bias[11] = _LIVELY
    _begin_matching(trunk)
    _tell_cameras_apart(network)


def _tell_cameras_apart(network: NeoVerseNetwork) -> None:
    """The camera head's first norm takes off what all pictures of some worlds have in common, and scales up the rest.

    The camera tokens of an untrained trunk differ by a tenth of their size: everything the head learns would be learned
    from the other nine tenths.
    """
    patch = network.architecture.patch_size
    pictures = torch.stack([_pictures(seed, 8 * patch, 14 * patch) for seed in range(_WORLDS)])
    tokens = network.visual_geometry_transformer(pictures, motion=False).taps[-1][:, :, 0]
    norm = network.cam_head.token_norm
    spread, mean = torch.std_mean(norm(tokens), (0, 1))
    norm.weight.copy_(1 / spread.clamp_min(1e-3))
    norm.bias.copy_(-mean * norm.weight)


def _pictures(seed: int, height: int, width: int) -> Float[Tensor, "3 3 h w"]:
    clip = WorldClip(seed, width, height)
    frames = [clip.frame(index).rgb for index in _FRAMES]
    return torch.stack(frames).permute(0, 3, 1, 2).float() / 255


def _begin_matching(trunk: GeometryTransformer) -> None:
    """Queries begin equal to keys wherever frames meet: patches look for what looks like them."""
    for block in trunk.global_blocks:
        assert isinstance(block, Block)
        query, key, _ = block.attn.qkv.weight.chunk(3)
        query.copy_(key)
        block.attn.qkv.bias[: 2 * len(key)] = 0
        _sharpen(block.attn.q_norm)
    for block in (*trunk.motion_fwd_blocks, *trunk.motion_bwd_blocks):
        assert isinstance(block, CrossBlock)
        block.cross_attn.projq.load_state_dict(block.cross_attn.projk.state_dict())
        _sharpen(block.cross_attn.q_norm)


def _sharpen(norm: nn.Module) -> None:
    assert isinstance(norm, nn.LayerNorm)
    norm.weight.fill_(_SHARPNESS)
