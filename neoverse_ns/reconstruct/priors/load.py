"""Everything the user knows about a clip, matched to its sampled frames and in its pixels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.console import progress, say
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.priors.config import PriorsConfig
from neoverse_ns.reconstruct.priors.depth import depth_files, read_depth
from neoverse_ns.reconstruct.priors.framing import Framing, framing_of, to_tensor
from neoverse_ns.reconstruct.priors.matching import match_frames
from neoverse_ns.trajectory.foreign.entry import CameraEntry, label
from neoverse_ns.trajectory.foreign.transforms import read_cameras


@dataclass(frozen=True)
class ClipPriors:
    """What is known about every sampled frame; None where nothing is.

    Attributes:
        c2w: Camera-to-world, OpenCV axes, in the user's own world and unit.
        K: Intrinsics in pixels of the clip.
        depth: z-depth at the clip's resolution, 0 where unknown; its unit need not be that of `c2w`.
    """

    c2w: Float[Tensor, "n 4 4"] | None = None
    K: Float[Tensor, "n 3 3"] | None = None
    depth: Float[Tensor, "n h w"] | None = None

    @property
    def names(self) -> list[str]:
        """What is given, in words."""
        named = {"poses": self.c2w, "intrinsics": self.K, "depth": self.depth}
        return [name for name, value in named.items() if value is not None]

    def __getitem__(self, frames: list[int]) -> ClipPriors:
        """Those of some of the sampled frames."""
        return ClipPriors(*(None if value is None else value[frames] for value in (self.c2w, self.K, self.depth)))


def load_priors(config: PriorsConfig, clip: Clip) -> ClipPriors:
    """Read what `config` names, and say in one line what was found.

    Raises:
        SettingsError: A file is missing or wrong, or a sampled frame has none.
    """
    config.validate()
    if not config.any:
        return ClipPriors()
    framing = framing_of(clip)
    c2w = K = depth = None
    if config.cameras is not None:
        entries = read_cameras(config.cameras)
        labels = [entry.label for entry in entries]
        places = match_frames(labels, clip, config.match, config.first_number, str(config.cameras))
        chosen = [entries[i] for i in places]
        if config.use_poses:
            # In full precision: a world may lie far from its origin.
            c2w = torch.stack([entry.c2w for entry in chosen]).double()
        if config.use_intrinsics:
            K = _intrinsics(chosen, framing, str(config.cameras))
    if config.depth is not None:
        depth = _depth(config, clip, framing)
    priors = ClipPriors(c2w, K, depth)
    if not priors.names:
        raise SettingsError(f"{config.cameras} holds nothing that may be used: it has no intrinsics with w and h")
    say(f"known beforehand for all {len(clip)} frames: {', '.join(priors.names)}")
    return priors


def _intrinsics(entries: list[CameraEntry], framing: Framing, where: str) -> Float[Tensor, "n 3 3"] | None:
    matrices = []
    for entry in entries:
        if entry.K is None or entry.size is None:
            return None
        framing.check_shape(*entry.size, where)
        matrices.append(framing.intrinsics(entry.K, *entry.size))
    return torch.stack(matrices).float()


def _depth(config: PriorsConfig, clip: Clip, framing: Framing) -> Float[Tensor, "n h w"]:
    assert config.depth is not None
    files = depth_files(config.depth)
    labels = [label(file.name) for file in files]
    places = match_frames(labels, clip, config.match, config.first_number, str(config.depth))
    images = []
    with progress("reading depth", len(places)) as steps:
        for place in places:
            image = read_depth(files[place], config.depth_unit)
            framing.check_shape(image.shape[1], image.shape[0], str(files[place]))
            images.append(framing.cut(image))
            steps.advance()
    return to_tensor(images)
