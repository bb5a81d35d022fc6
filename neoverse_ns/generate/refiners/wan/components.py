"""The four parts of the model, loaded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from neoverse_ns.console import say
from neoverse_ns.errors import UNREADABLE, WeightsError
from neoverse_ns.generate.refiners.wan.architecture import WanArchitecture
from neoverse_ns.generate.refiners.wan.files import Part, WanFiles
from neoverse_ns.generate.refiners.wan.key_map import match_keys, to_diffusers, to_release
from neoverse_ns.generate.refiners.wan.lora import LoraUpdates
from neoverse_ns.generate.refiners.wan.original import autoencoder_names, text_encoder_config, text_encoder_key
from neoverse_ns.generate.refiners.wan.shards import assign_stream, read_shapes

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan
    from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

    from neoverse_ns.generate.refiners.wan.transformer import ControlledWanTransformer

EMBEDDING, SAME_EMBEDDING = "shared.weight", "encoder.embed_tokens.weight"
"""Two names of one parameter of transformers' UMT5; files have the first, the second or both."""


@dataclass
class WanComponents:
    """Everything that sampling needs, each in evaluation mode.

    Attributes:
        transformer: With its control branch, a LoRA already merged.
        text_encoder: UMT5.
        vae: Wan 2.1's video autoencoder.
        tokenizer: Of the text encoder.
        distilled: Whether a LoRA was merged, so that few steps without guidance are enough.
    """

    transformer: ControlledWanTransformer
    text_encoder: UMT5EncoderModel
    vae: AutoencoderKLWan
    tokenizer: PreTrainedTokenizerBase
    distilled: bool = False

    def modules(self) -> dict[str, nn.Module]:
        """The modules by name, in the order in which they run."""
        return {"text_encoder": self.text_encoder, "vae": self.vae, "transformer": self.transformer}


def load_components(files: WanFiles, dtype: torch.dtype, device: torch.device | str) -> WanComponents:
    """Load every part.

    Args:
        files: As :func:`.files.find_wan_files` gives them.
        dtype: Of the weights (what a model insists on keeps float32).
        device: Where they are put; the CPU where they are to be offloaded.

    Raises:
        WeightsError: A part is damaged, or belongs to another model.
    """
    return WanComponents(
        transformer=load_transformer(files.transformer, dtype, device, files.lora, files.control),
        text_encoder=load_text_encoder(files.text_encoder, dtype, device),
        vae=load_vae(files.vae, dtype, device),
        tokenizer=load_tokenizer(files.tokenizer),
        distilled=files.lora is not None,
    )


def architecture_of(part: Part) -> WanArchitecture:
    """Sizes of a transformer that was found, without loading it.

    Raises:
        WeightsError: It is not Wan 2.1 with a control branch.
    """
    if part.layout == "release":
        heads, layers = part.config.get("num_heads"), part.config.get("control_layers")
        return WanArchitecture.from_release(part.shapes, heads, layers)
    return WanArchitecture.from_config(part.config)


def load_transformer(
    part: Part,
    dtype: torch.dtype,
    device: torch.device | str,
    lora: Path | None = None,
    control: Path | None = None,
) -> ControlledWanTransformer:
    """Load the transformer, merging a LoRA on the way, and putting a control branch of one's own in its place.

    Raises:
        WeightsError: As of :func:`load_components`; or the LoRA or the control branch does not fit.
    """
    model = empty_transformer(architecture_of(part), device)
    state = model.state_dict()
    if part.layout == "release":
        names = match_keys(part.shapes, state)
        release = {key: key for key in part.shapes}
    else:
        names = {key: key for key in part.shapes}
        release = {key: to_release(key) for key in part.shapes}
    if lora is None:
        assign_stream(model, part.files, names, dtype, device)
    else:
        _load_merged(model, part, names, release, dtype, device, lora)
    if control is not None:
        load_control(model, control, dtype, device)
    return model


def empty_transformer(architecture: WanArchitecture, device: torch.device | str) -> ControlledWanTransformer:
    """The module with its weights on the meta device, to be filled."""
    with torch.device("meta"):
        model = architecture.build()
    # The rotary table is computed, not stored, so it must not stay on the meta device.
    model.rope = type(model.rope)(architecture.dim // architecture.heads, (1, 2, 2), model.rope.max_seq_len)
    model.rope.to(device)
    return model


def load_control(
    model: ControlledWanTransformer, file: Path, dtype: torch.dtype, device: torch.device | str
) -> ControlledWanTransformer:
    """Replace the control branch by one that training wrote.

    Raises:
        WeightsError: The file is damaged, or of a branch of another size.
    """
    shapes = read_shapes([file])
    others = frozenset(key for key in model.state_dict() if not is_control(key))
    assign_stream(model, [file], {key: to_diffusers(key) for key in shapes}, dtype, device, aliases=others)
    return model


def is_control(key: str) -> bool:
    """Whether a key of the transformer's state dict belongs to the control branch."""
    return key.startswith(("mask_camera_embedding.", "vace_"))


def _load_merged(
    model: ControlledWanTransformer,
    part: Part,
    names: dict[str, str],
    release: dict[str, str],
    dtype: torch.dtype,
    device: torch.device | str,
    lora: Path,
) -> None:
    updates = LoraUpdates(lora, set(release.values()))

    def merge(key: str, tensor: Tensor) -> Tensor:
        # On the GPU where there is one: at the released size the products are a trillion operations.
        return updates.apply(release[key], tensor.to(device) if updates.changes(release[key]) else tensor)

    assign_stream(model, part.files, names, dtype, device, merge)
    say(f"merged {len(updates)} updates of {lora.name}")


def load_text_encoder(part: Part, dtype: torch.dtype, device: torch.device | str) -> UMT5EncoderModel:
    """Load UMT5.

    Raises:
        WeightsError: The files are damaged or of another model.
    """
    from transformers import UMT5Config, UMT5EncoderModel

    if part.layout == "original":
        settings, rename = text_encoder_config(part.shapes), text_encoder_key
    else:
        settings, rename = part.config, str
    config = _from_config(UMT5Config.from_dict, settings, part)
    with torch.device("meta"):
        model = UMT5EncoderModel(config)
    names = {key: rename(key) for key in part.shapes if key != SAME_EMBEDDING or EMBEDDING not in part.shapes}
    # One parameter has two names: leave the second out, where the files have both or only that one.
    names = {key: EMBEDDING if name == SAME_EMBEDDING else name for key, name in names.items()}
    assign_stream(model, part.files, names, dtype, device, aliases=frozenset({SAME_EMBEDDING}))
    return model


def load_vae(part: Part, dtype: torch.dtype, device: torch.device | str) -> AutoencoderKLWan:
    """Load the video autoencoder.

    Raises:
        WeightsError: The files are damaged or of another model.
    """
    from diffusers.models.autoencoders.autoencoder_kl_wan import AutoencoderKLWan

    def build(config: dict[str, Any]) -> AutoencoderKLWan:
        with torch.device("meta"):
            return AutoencoderKLWan.from_config(config)  # pyright: ignore[reportReturnType]

    # Wan's own file is of the one size that diffusers has as its default.
    model = _from_config(build, part.config, part)
    names = autoencoder_names(part.shapes) if part.layout == "original" else {key: key for key in part.shapes}
    assign_stream(model, part.files, names, dtype, device)
    return model


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """Load the text encoder's tokenizer.

    Raises:
        WeightsError: The folder has no readable one.
    """
    from transformers import AutoTokenizer

    try:
        return AutoTokenizer.from_pretrained(folder)
    except Exception as error:
        # Its library for fast tokenizers is compiled and raises plain exceptions.
        reason = " ".join(str(error).split())[:160]
        raise WeightsError(f"the tokenizer in {folder} cannot be read ({reason}): download it again") from error


def _from_config(build: Any, config: Mapping[str, Any], part: Part) -> Any:
    try:
        return build(dict(config))
    except UNREADABLE as error:
        place = part.files[0].parent / "config.json"
        raise WeightsError(f"{place} does not describe the expected model ({error}): download it again") from error
