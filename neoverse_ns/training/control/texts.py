"""Captions encoded when they come up, and the few that came up last."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import progress
from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.refiners.wan.components import load_text_encoder, load_tokenizer
from neoverse_ns.generate.refiners.wan.files import WanFiles
from neoverse_ns.generate.refiners.wan.text import encode_prompt
from neoverse_ns.training.control.config import TextOn

HELD = 256
"""Embeddings kept in main memory, up to their ends: about 1 MB each, 4 MB at most."""
MOST_DROPPED = 4096
"""Captions that may be encoded beforehand, where the encoder is dropped: all of them stay in memory."""


class Texts:
    """Embeddings of prompts by the text encoder, which stays: a million of them would fit nowhere.

    Args:
        files: With the encoder and its tokenizer.
        dtype: Of the encoder.
        device: Of training.
        where: Whether the encoder stays there, in main memory, or goes after everything is encoded.
        prompts: All there are, where it goes.

    Raises:
        WeightsError: The files are damaged.
        SettingsError: There are too many to encode beforehand.
    """

    def __init__(
        self, files: WanFiles, dtype: torch.dtype, device: torch.device, where: TextOn, prompts: Sequence[str] = ()
    ) -> None:
        if where == "drop" and len(prompts) > MOST_DROPPED:
            raise SettingsError(
                f"{len(prompts):,} captions are too many to encode beforehand (at most {MOST_DROPPED:,}): "
                "use --text-on device or cpu"
            )
        self._device = torch.device("cpu") if where == "cpu" else device
        self._tokenizer = load_tokenizer(files.tokenizer)
        self._encoder = load_text_encoder(files.text_encoder, dtype, self._device)
        self._held: OrderedDict[str, Tensor] = OrderedDict()
        self._most = HELD
        self._length = 0
        if where == "drop":
            self._encode_all(prompts)

    def __call__(self, prompt: str) -> Float[Tensor, "1 l d"]:
        """Embedding of a prompt, zero past its end, on the CPU."""
        if prompt not in self._held:
            self._hold(prompt)
        self._held.move_to_end(prompt)
        short = self._held[prompt]
        return torch.nn.functional.pad(short, (0, 0, 0, self._length - short.shape[1]))

    def __len__(self) -> int:
        """Embeddings that are held."""
        return len(self._held)

    def _hold(self, prompt: str) -> None:
        assert self._encoder is not None
        text = encode_prompt(self._tokenizer, self._encoder, prompt, self._device)
        self._length = text.shape[1]
        self._held[prompt] = text[:, : int(text.any(dim=-1).sum())].clone()
        while len(self._held) > self._most:
            self._held.popitem(last=False)

    def _encode_all(self, prompts: Sequence[str]) -> None:
        self._most = len(prompts)
        with progress("encoding captions", len(prompts)) as bar:
            for prompt in prompts:
                self._hold(prompt)
                bar.advance()
        self._encoder = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
