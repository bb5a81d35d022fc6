"""Finding a model's parts: in the release's layout, in diffusers', or from both a model and a base folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from neoverse_ns.errors import WeightsError
from neoverse_ns.generate.refiners.wan.config import WanSource
from neoverse_ns.generate.refiners.wan.shards import find_shards, read_shapes
from neoverse_ns.weights.config import WeightsConfig
from neoverse_ns.weights.hub import obtain_folder
from neoverse_ns.weights.match import Shape
from neoverse_ns.weights.notices import announce_licence

Layout = Literal["release", "diffusers", "original"]
"""The release's names of the transformer; diffusers' and transformers' of anything; Wan's own of the other parts."""

TEXT_ENCODER_FILE, VAE_FILE = "models_t5_umt5-xxl-enc-bf16.pth", "Wan2.1_VAE.pth"
TOKENIZER_FOLDERS = ("tokenizer", "google/umt5-xxl", "text_encoder")
TOKENIZER_FILES = ("tokenizer.json", "spiece.model")
RELEASE_PATTERNS = ["diffusion_pytorch_model*", "*.json", TEXT_ENCODER_FILE, VAE_FILE, "google/*", "loras/*"]
_ALLOW = "pass --wan.download to fetch it once"
DIFFUSERS_PATTERNS = {
    "transformer": ["transformer/*"],
    "text encoder": ["text_encoder/*"],
    "autoencoder": ["vae/*"],
    "tokenizer": ["tokenizer/*"],
}


@dataclass(frozen=True)
class Part:
    """Weights of one component.

    Attributes:
        files: Weights, in order.
        shapes: Shape of every tensor in them.
        layout: Whose names they have.
        config: What the `config.json` beside them says; empty where there is none.
    """

    files: list[Path]
    shapes: dict[str, Shape]
    layout: Layout
    config: dict[str, Any]

    @property
    def parameters(self) -> int:
        return sum(_numel(shape) for shape in self.shapes.values())


@dataclass(frozen=True)
class WanFiles:
    """Where the parts of a model lie."""

    transformer: Part
    text_encoder: Part
    vae: Part
    tokenizer: Path
    lora: Path | None
    control: Path | None = None


def find_wan_files(config: WanSource, lora: str = "none") -> WanFiles:
    """Find every part, on this machine or (where allowed) on the hub: first in `config.model`, then in `config.base`.

    Args:
        config: Where to look.
        lora: See :class:`neoverse_ns.generate.refiners.wan.config.WanConfig`.

    Raises:
        WeightsError: Parts are missing (all are named), damaged, or of another model.
    """
    everything = RELEASE_PATTERNS + [pattern for patterns in DIFFUSERS_PATTERNS.values() for pattern in patterns]
    model = _folder(config.model, everything, config.download)
    finders: dict[str, Callable[[Path], Any]] = {
        "transformer": find_transformer,
        "text encoder": find_text_encoder,
        "autoencoder": find_vae,
        "tokenizer": find_tokenizer,
    }
    found = {name: find(model) for name, find in finders.items()}
    # The transformer of the base is the one without a control branch.
    if (absent := [name for name in found if found[name] is None and name != "transformer"]) and config.base:
        patterns = [pattern for name in absent for pattern in DIFFUSERS_PATTERNS[name]]
        base = _folder(config.base, patterns, config.download, "base")
        found |= {name: finders[name](base) for name in absent}
    if missing := [name for name, part in found.items() if part is None]:
        places = f"{model}" if not config.base or missing == ["transformer"] else f"{model} and {config.base}"
        raise WeightsError(f"{places} have no {', no '.join(missing)}: {_expected(missing)}")
    return WanFiles(
        transformer=found["transformer"],
        text_encoder=found["text encoder"],
        vae=found["autoencoder"],
        tokenizer=found["tokenizer"],
        lora=find_lora(lora, model),
        control=None if config.control is None else _file(config.control, "control branch"),
    )


def find_transformer(folder: Path) -> Part | None:
    """Wan's transformer in `folder`, its subfolder `transformer`, or another of its subfolders."""
    subfolders = sorted(path for path in folder.iterdir() if path.is_dir() and path.name not in ("vae", "text_encoder"))
    other: str | None = None
    for place in (folder, folder / "transformer", *subfolders):
        shards = find_shards(place, "diffusion_pytorch_model")
        if not shards:
            continue
        shapes = read_shapes(shards)
        if "blocks.0.self_attn.q.weight" in shapes:
            return Part(shards, shapes, "release", _read_config(place))
        if "blocks.0.attn1.to_q.weight" in shapes:
            return Part(shards, shapes, "diffusers", _read_config(place))
        other = f"{shards[0]} has tensors such as {next(iter(shapes))}"
    if other is not None:
        raise WeightsError(f"{other}: that is Wan 2.1's transformer neither in the release's layout nor in diffusers'")
    return None


def find_text_encoder(folder: Path) -> Part | None:
    """The UMT5 text encoder: transformers' folder `text_encoder`, or Wan's own file."""
    return _component(folder / "text_encoder", "model", folder / TEXT_ENCODER_FILE)


def find_vae(folder: Path) -> Part | None:
    """The video autoencoder: diffusers' folder `vae`, or Wan's own file."""
    return _component(folder / "vae", "diffusion_pytorch_model", folder / VAE_FILE)


def find_tokenizer(folder: Path) -> Path | None:
    """The folder that has the text encoder's tokenizer."""
    places = (folder / name for name in TOKENIZER_FOLDERS)
    return next((p for p in places if any((p / name).is_file() for name in TOKENIZER_FILES)), None)


def find_lora(choice: str, folder: Path) -> Path | None:
    """The LoRA that `choice` (`auto`, `none`, or a file) asks for.

    Raises:
        WeightsError: The file is missing, or `auto` finds more than one.
    """
    if choice == "none":
        return None
    if choice != "auto":
        return _file(choice, "LoRA")
    held = sorted((folder / "loras").glob("*.safetensors"))
    if len(held) > 1:
        raise WeightsError(
            f"{folder / 'loras'} has {len(held)} LoRAs ({', '.join(path.name for path in held[:3])}): name the one to "
            "use"
        )
    return held[0] if held else None


def _file(choice: str, what: str) -> Path:
    path = Path(choice).expanduser()
    if not path.is_file():
        raise WeightsError(f"no {what} at {path}: give a .safetensors file")
    return path


def _component(place: Path, stem: str, original: Path) -> Part | None:
    if (place / "config.json").is_file():
        if shards := find_shards(place, stem):
            return Part(shards, read_shapes(shards), "diffusers", _read_config(place))
        raise WeightsError(f"{place} has a config.json but no {stem}.safetensors: download it again")
    if original.is_file():
        return Part([original], read_shapes([original]), "original", {})
    return None


def _folder(source: str, patterns: list[str], download: bool, flag: str = "model") -> Path:
    place = WeightsConfig(source=source, file="config.json", download=download)
    if download and place.local is None:
        announce_licence(source)
    by_hand = f"or --wan.{flag} DIR for a copy of your own (both of ns-train begin with --pipeline.refiner.wan)"
    return obtain_folder(place, patterns, "the video model", _ALLOW, by_hand)


def _read_config(place: Path) -> dict[str, Any]:
    path = place / "config.json"
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text("utf8"))
    except (OSError, ValueError) as error:
        raise WeightsError(f"{path} cannot be read ({error}): download it again") from error
    if not isinstance(config, dict):
        raise WeightsError(f"{path} is no description of a model: download it again")
    return config


def _expected(missing: list[str]) -> str:
    """What would have been taken for the missing parts."""
    where = {
        "transformer": "diffusion_pytorch_model-*.safetensors (in the folder or in transformer/)",
        "text encoder": f"text_encoder/ of diffusers or {TEXT_ENCODER_FILE}",
        "autoencoder": f"vae/ of diffusers or {VAE_FILE}",
        "tokenizer": f"tokenizer/ or google/umt5-xxl/ with {' or '.join(TOKENIZER_FILES)}",
    }
    return "put there " + "; ".join(where[name] for name in missing)


def _numel(shape: Shape) -> int:
    count = 1
    for side in shape:
        count *= side
    return count
