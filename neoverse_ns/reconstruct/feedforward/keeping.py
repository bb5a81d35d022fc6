"""Whether this process keeps the network that it has loaded; light, as it is said before any network is loaded."""

from __future__ import annotations

_WISHES = {"keep": False}


def keep_networks(wanted: bool) -> None:
    """Whether the last network that was loaded stays in main memory for the next clip; by default none does.

    See :func:`neoverse_ns.reconstruct.feedforward.kept.network_for`, which forgets it where it is no longer wanted.
    """
    _WISHES["keep"] = wanted


def networks_are_kept() -> bool:
    """What was wished for."""
    return _WISHES["keep"]
