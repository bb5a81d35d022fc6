"""Where the weights of VBench's networks are looked for, and what is said where they are not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neoverse_ns.errors import WeightsError
from neoverse_ns.metrics.vbench.measure import NotMeasuredError
from neoverse_ns.weights.config import WeightsConfig
from neoverse_ns.weights.find import cached_file

FOLDER = "NEOVERSE_VBENCH_WEIGHTS"
"""Environment variable with a folder that is looked into first."""


@dataclass(frozen=True)
class WeightsWanted:
    """A file of weights that is never downloaded here.

    Attributes:
        title: What it is.
        size: For people.
        names: Under which it may lie in a folder, the usual one first; VBench's own subfolders included.
        hub: Ids of repositories of the Hugging Face hub that hold the same weights; empty where none does.
        origin: Where people get it.
    """

    title: str
    size: str
    names: tuple[str, ...]
    hub: str
    origin: str

    def found(self, folder: Path | None = None) -> Path | None:
        """The file, where it is on this machine: in `folder`, the folder of the environment, or a known cache."""
        if folder is not None and not folder.is_dir():
            raise WeightsError(f"no folder with weights at {folder}: make it, or name another one")
        for place in self._places(folder):
            for name in self.names:
                if (place / name).is_file():
                    return place / name
        if not self.hub:
            return None
        files = ("model.safetensors", "pytorch_model.bin")
        hits = (cached_file(WeightsConfig(self.hub, file), file) for file in files)
        return next((hit for hit in hits if hit is not None), None)

    def require(self, dimension: str, folder: Path | None = None) -> Path:
        """The file.

        Raises:
            NotMeasuredError: It is not there; says what to fetch, and where to put it.
        """
        path = self.found(folder)
        if path is None:
            where = folder or Path(os.environ.get(FOLDER) or _vbench_cache())
            raise NotMeasuredError(
                f"{dimension} is not measured: it needs {self.title} ({self.size}); fetch {self.origin}, and put it "
                f"into {where} as {Path(self.names[0]).name}"
            )
        return path

    def _places(self, folder: Path | None) -> Iterator[Path]:
        if folder is not None:
            # A folder that is named shall not be mixed with what lies elsewhere without notice.
            yield folder
            return
        if named := os.environ.get(FOLDER):
            yield Path(named).expanduser()
        yield _vbench_cache()
        torch_home = os.environ.get("TORCH_HOME")
        home = Path(torch_home) if torch_home else _cache() / "torch"
        yield home / "hub" / "checkpoints"
        yield _cache() / "clip"


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()


def _vbench_cache() -> Path:
    """Where the package vbench puts what it downloads."""
    return Path(os.environ.get("VBENCH_CACHE_DIR") or "~/.cache/vbench").expanduser()


DINO = WeightsWanted(
    "DINO ViT-B/16",
    "343 MB",
    ("dino_vitbase16_pretrain.pth", "dino_model/dino_vitbase16_pretrain.pth", "dino-vitb16.safetensors"),
    "facebook/dino-vitb16",
    "dino_vitbase16_pretrain.pth of github.com/facebookresearch/dino, or huggingface.co/facebook/dino-vitb16",
)
CLIP_B_32 = WeightsWanted(
    "CLIP ViT-B/32",
    "338 MB",
    ("ViT-B-32.pt", "clip_model/ViT-B-32.pt", "clip-vit-base-patch32.safetensors"),
    "openai/clip-vit-base-patch32",
    "ViT-B-32.pt of github.com/openai/CLIP, or huggingface.co/openai/clip-vit-base-patch32",
)
CLIP_L_14 = WeightsWanted(
    "CLIP ViT-L/14",
    "about 900 MB",
    ("ViT-L-14.pt", "clip_model/ViT-L-14.pt", "clip-vit-large-patch14.safetensors"),
    "openai/clip-vit-large-patch14",
    "ViT-L-14.pt of github.com/openai/CLIP, or huggingface.co/openai/clip-vit-large-patch14",
)
AESTHETIC_HEAD = WeightsWanted(
    "LAION's linear head for ViT-L/14",
    "4 kB",
    (
        "sa_0_4_vit_l_14_linear.pth",
        "aesthetic_model/emb_reader/sa_0_4_vit_l_14_linear.pth",
    ),
    "",
    "sa_0_4_vit_l_14_linear.pth of github.com/LAION-AI/aesthetic-predictor",
)
