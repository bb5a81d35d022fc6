"""Weights from the Hugging Face hub: the cache needs no network, the rest is fetched only where that is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from neoverse_ns.console import say
from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.config import INDEX, WeightsConfig
from neoverse_ns.weights.find import find_weights, part_names, sibling_parts
from neoverse_ns.weights.hub_errors import ALLOW, explain
from neoverse_ns.weights.notices import announce_licence

_BY_HAND = "or give the path of your own copy as the weights' source"


def obtain_weights(config: WeightsConfig, allow: str = ALLOW, by_hand: str = _BY_HAND) -> Path:
    """The file of weights: a local path, else the hub's cache, else a download where `config.download` allows it.

    For weights split over several files this is the index, and all parts lie beside it.

    Args:
        config: Which they are.
        allow: What messages say that lets them be downloaded, as an order.
        by_hand: What they say can be done instead, from "or" on.

    Raises:
        SettingsError: A setting cannot mean anything.
        WeightsError: They are not here and cannot be had; the message says what to do.
    """
    config.validate()
    found = find_weights(config)
    if found is not None:
        return found
    if not config.download:
        raise WeightsError(
            f"{config.name} is not on this machine: run `{download_command(config)}` once (or {allow}), {by_hand}"
        )
    say(f"downloading {config.name}")
    announce_licence(config.source)
    file = _download(config, config.file)
    if file.name.endswith(INDEX):
        for part in sibling_parts(config.file, part_names(file)):
            _download(config, part)
    return file


def obtain_folder(
    config: WeightsConfig, patterns: list[str], name: str | None = None, allow: str = ALLOW, by_hand: str | None = None
) -> Path:
    """The folder of a repository's files that match `patterns` (as of :mod:`fnmatch`), such as a tokenizer's.

    Args:
        config: Which repository; its `file` is not looked at.
        patterns: What is wanted of it.
        name: How messages call that; by default `patterns` themselves.
        allow: What messages say that lets it be downloaded, as an order.
        by_hand: What they say can be done instead, from "or" on.

    A local folder is returned as it is. The cache alone cannot tell whether a folder is whole, so where downloading is
    allowed the hub is asked first.

    Raises:
        WeightsError: As of :func:`obtain_weights`.
    """
    config.validate()
    if config.local is not None:
        if not config.local.is_dir():
            raise WeightsError(f"no folder at {config.local}: give a folder that has {', '.join(patterns)}")
        return config.local
    hub = _library(config)
    try:
        return Path(hub.snapshot_download(config.source, allow_patterns=patterns, **_where(config)))
    except Exception as error:
        raise explain(error, config, name or ", ".join(patterns), allow, by_hand) from error


def download_command(config: WeightsConfig) -> str:
    """The command that fetches these weights."""
    revision = f" --revision {config.revision}" if config.revision else ""
    return f"ns-neoverse weights --source {config.source} --file {config.file}{revision} --download"


def _download(config: WeightsConfig, name: str) -> Path:
    hub = _library(config)
    try:
        return Path(hub.hf_hub_download(config.source, name, **_where(config)))
    except Exception as error:
        # The library raises errors of its own, of two HTTP libraries and of a compiled one: all end in one line.
        raise explain(error, config, name) from error


def _where(config: WeightsConfig) -> dict[str, Any]:
    cache = None if config.cache_dir is None else config.cache_dir.expanduser()
    return {"revision": config.revision, "cache_dir": cache, "local_files_only": not config.download}


def _library(config: WeightsConfig) -> Any:
    try:
        import huggingface_hub
    except ImportError:
        raise WeightsError(
            f"{config.name} is on the Hugging Face hub, whose library is not installed: "
            "pip install 'neoverse-ns[network]', or give the path of your own copy as the weights' source"
        ) from None
    return huggingface_hub
