"""What can go wrong between here and the hub, in words that say what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.config import WeightsConfig

_BY_HAND = "or download {file} elsewhere and give its path as the weights' source"


ALLOW = "set download to True"
"""How a caller without a command line lets the hub be asked."""


def explain(
    error: Exception, config: WeightsConfig, file: str, allow: str = ALLOW, by_hand: str | None = None
) -> WeightsError:
    """One message for an exception of `huggingface_hub`.

    Args:
        error: What was raised while `file` was fetched or looked up.
        config: Which repository, and where it is kept.
        file: The file or files that were wanted, as people call them.
        allow: What lets them be downloaded, as an order.
        by_hand: What can be done instead, from "or" on; by default to download them elsewhere.
    """
    from huggingface_hub import constants, utils

    page = f"{constants.ENDPOINT}/{config.source}"
    by_hand = by_hand or _BY_HAND.format(file=file)
    what = f"{file} of {config.source}"
    cache = config.cache_dir or Path(constants.HF_HUB_CACHE)
    # The order matters: gated is a kind of missing repository, and not cached is a kind of missing file.
    if isinstance(error, utils.GatedRepoError):
        return WeightsError(
            f"{config.source} is gated: accept its terms at {page} while logged in, then run `hf auth login` "
            f"(or set $HF_TOKEN) and try again, {by_hand}"
        )
    if isinstance(error, utils.RepositoryNotFoundError):
        return WeightsError(
            f"the hub has no repository {config.source} (or it is private): check the id at {page}, "
            f"or log in with `hf auth login`, {by_hand}"
        )
    if isinstance(error, utils.RevisionNotFoundError):
        return WeightsError(f"{config.source} has no revision '{config.revision}': choose one of {page}/commits/main")
    if isinstance(error, utils.OfflineModeIsEnabled) or (
        isinstance(error, utils.LocalEntryNotFoundError) and constants.HF_HUB_OFFLINE
    ):
        return WeightsError(
            f"{what} is not in the cache {cache} and HF_HUB_OFFLINE forbids the network: unset it, {by_hand}"
        )
    if isinstance(error, utils.LocalEntryNotFoundError):
        if not config.download:
            return WeightsError(f"{what} is not in the cache {cache}: {allow}, {by_hand}")
        return WeightsError(f"the hub cannot be reached for {what}: check the internet connection, {by_hand}")
    if isinstance(error, utils.EntryNotFoundError):
        return WeightsError(
            f"{config.source} has no {file}{f' at {config.revision}' if config.revision else ''}: "
            f"choose a file of {page}/tree/{config.revision or 'main'}"
        )
    if getattr(error, "errno", None) == errno.ENOSPC or "no space left" in str(error).lower():
        return WeightsError(
            f"the disk is full: {what} does not fit {cache}: free some space, or set $HF_HOME (or cache_dir) to a "
            f"larger disk; what is there already is not downloaded again"
        )
    if isinstance(error, PermissionError):
        return WeightsError(
            f"cannot write {what} to the cache {cache}: make it writable, or set $HF_HOME (or cache_dir) to another"
        )
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return WeightsError(f"{what} could not be downloaded ({reason}): try again, which resumes, {by_hand}")
