"""The network on a device that has no room for all of it."""

from __future__ import annotations

import torch

from neoverse_ns.networks.neoverse.deduce import TRUNK
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.weights.staging import StagedModule


def stage_of(name: str) -> str:
    """The stage to which a layer (or a weight) belongs, in the order in which they run.

    `patches`, `trunk`, `motion`, `cam_head`, then each dense head by its name; the Gaussian head and the convolutions
    behind it take turns for every chunk of frames, so they are one.
    """
    first, _, rest = name.partition(".")
    if first == TRUNK:
        if rest.startswith("motion_"):
            return "motion"
        return "patches" if rest.startswith("patch_embed") else "trunk"
    return "gs_head" if first == "gs_renderer" else first


def run_in_stages(network: NeoVerseNetwork, device: torch.device | str) -> StagedModule:
    """Let a network in main memory run on `device` stage by stage, with the same results.

    Afterwards call it as ever, with images on `device`. It takes as much device memory as the largest stage (the
    trunk's blocks: 40 % of the weights) beside the activations, and a second or so of copying a clip.

    Returns:
        The handle: `activate(None)` empties the device between clips, `close()` undoes it.
    """
    return StagedModule(network, device, stage_of)
