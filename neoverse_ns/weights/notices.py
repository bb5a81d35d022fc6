"""What users must know about the licence of weights that they are about to download."""

from __future__ import annotations

from neoverse_ns.console import warn

NOTICES = {
    "Yuppie1204/NeoVerse": (
        "the NeoVerse reconstructor was fine-tuned from Tencent's HunyuanWorld-Mirror, whose community licence does "
        "not apply in the European Union, the United Kingdom and South Korea and restricts some uses; read "
        "https://huggingface.co/tencent/HunyuanWorld-Mirror and https://huggingface.co/Yuppie1204/NeoVerse before "
        "you use it"
    ),
    "tencent/HunyuanWorld-Mirror": (
        "Tencent's community licence for HunyuanWorld-Mirror does not apply in the European Union, the United Kingdom "
        "and South Korea and restricts some uses; read https://huggingface.co/tencent/HunyuanWorld-Mirror before you "
        "use it"
    ),
}
"""Facts about a hub repository's licence, as far as they are known here; the licence itself is what counts."""

_announced: set[str] = set()


def licence_notice(repository: str) -> str:
    """One sentence on the licence of a hub repository's weights."""
    return NOTICES.get(repository, f"licence: see https://huggingface.co/{repository}")


def announce_licence(repository: str) -> None:
    """Print the notice of a repository, once in a process."""
    if repository not in _announced:
        _announced.add(repository)
        warn(licence_notice(repository))
