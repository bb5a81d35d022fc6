"""From a prompt to what the transformer reads."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.console import warn

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, UMT5EncoderModel

TOKENS = 512
"""Length of the text that the transformer was trained with."""


def clean(prompt: str) -> str:
    """Mend broken encodings, resolve HTML entities and join white space, as in Wan's training."""
    try:
        import ftfy

        prompt = ftfy.fix_text(prompt)
    except ImportError:
        pass
    return " ".join(html.unescape(html.unescape(prompt)).split())


def tokenize(tokenizer: PreTrainedTokenizerBase, prompt: str, length: int = TOKENS) -> list[int]:
    """Numbers of the prompt's tokens with the end mark, at most `length`; a warning says what was cut off."""
    ids = list(tokenizer(clean(prompt), add_special_tokens=True)["input_ids"])  # pyright: ignore
    if len(ids) <= length:
        return ids
    # The end mark takes the last place, as the tokenizer's own truncation has it.
    cut = tokenizer.decode(ids[length - 1 : -1], skip_special_tokens=True)
    warn(f"the prompt has {len(ids)} tokens, {len(ids) - length} too many; left out at its end: '{_shortened(cut)}'")
    return [*ids[: length - 1], ids[-1]]


@torch.no_grad()
def encode_prompt(
    tokenizer: PreTrainedTokenizerBase, encoder: UMT5EncoderModel, prompt: str, device: torch.device | str
) -> Float[Tensor, "1 512 d"]:
    """Embeddings of a prompt, zero past its end, on the CPU.

    The encoder sees the prompt without padding, which gives the same as with masked padding, sooner.
    """
    ids = torch.tensor([tokenize(tokenizer, prompt)], device=device)
    states = encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    text = states.new_zeros(1, TOKENS, states.shape[-1])
    text[:, : states.shape[1]] = states
    return text.cpu()


def _shortened(words: str, length: int = 120) -> str:
    return words if len(words) <= length else f"{words[: length // 2]} ... {words[-length // 2 :]}"
