"""Which refiner runs, by name. Factories import what they need when called: some of it is large."""

from __future__ import annotations

from collections.abc import Callable

from neoverse_ns.errors import SettingsError
from neoverse_ns.generate.base import Refiner
from neoverse_ns.generate.config import RefinerConfig


def _none(config: RefinerConfig) -> Refiner:
    from neoverse_ns.generate.refiners.none import AsDrawn

    return AsDrawn()


def _telea(config: RefinerConfig) -> Refiner:
    from neoverse_ns.generate.refiners.telea import TeleaRefiner

    return TeleaRefiner()


def _internal(config: RefinerConfig) -> Refiner:
    from neoverse_ns.generate.refiners.internal.refiner import InternalRefiner

    return InternalRefiner(config.internal, config.folder)


def _wan(config: RefinerConfig) -> Refiner:
    from neoverse_ns.generate.refiners.wan.refiner import WanRefiner

    return WanRefiner(config.wan)


REFINERS: dict[str, Callable[[RefinerConfig], Refiner]] = {
    "none": _none,
    "telea": _telea,
    "internal": _internal,
    "wan": _wan,
}


def get_refiner(config: RefinerConfig) -> Refiner:
    """Build the refiner that `config.refiner` names.

    Raises:
        SettingsError: There is none of that name.
        RefinementError: It cannot run here; the message says what is missing.
    """
    if config.refiner not in REFINERS:
        raise SettingsError(f"unknown refiner '{config.refiner}': choose one of {', '.join(REFINERS)}")
    return REFINERS[config.refiner](config)
