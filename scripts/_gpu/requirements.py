"""Which packages are missing here, and in one line what to do about it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

PACKAGES = {
    "PIL": "pillow",
    "cv2": "opencv-python-headless",
    "gsplat": "gsplat==1.4.0",
    "importlib_metadata": "importlib-metadata",
    "typing_extensions": "typing-extensions",
}
"""What to install for an import name, where that is another."""


def missing(imports: Iterable[str]) -> list[str]:
    """Import names, of those given, that cannot be imported; nothing is imported to find out."""
    return [name for name in dict.fromkeys(imports) if importlib.util.find_spec(name) is None]


def packages(imports: Iterable[str]) -> str:
    """What to install for import names, separated by spaces."""
    return " ".join(PACKAGES.get(name, name) for name in imports)


def advice(imports: Iterable[str]) -> str:
    """One line: what is missing, and how to get it with and without a network."""
    names = packages(imports)
    return (
        f"missing here: {names}. With a network: python -m pip install {names}. Without one: carry their wheels, "
        "python -m pip install --no-index --no-deps --target DIR WHEELS, and put DIR on PYTHONPATH."
    )
