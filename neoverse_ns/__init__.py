"""NeoVerse for Nerfstudio: an ordinary video in, a 4D Gaussian scene out, without camera poses.

Data flows one way: ``clip`` -> ``reconstruct`` -> ``gaussians`` -> ``rasterize`` -> ``refine``. Only ``plugin`` (and
the command line that drives it) imports nerfstudio, so everything else works as a plain library:

    from neoverse_ns import export, optimise, reconstruct, render, trajectory

    scene = optimise(reconstruct("clip.mp4"))
    render(scene, trajectory(scene, "orbit_right", time="freeze@1s"), "orbit.mp4")
    export(scene, "exports", "ply")

See :mod:`neoverse_ns.api`. What of it is not used is not imported: nerfstudio loads this with every command.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from neoverse_ns.api import export, load, optimise, reconstruct, refine, render, trajectory

__version__ = "0.2.0"

__all__ = ["__version__", "export", "load", "optimise", "reconstruct", "refine", "render", "trajectory"]

_PACKAGES = ("export", "optimise", "reconstruct", "render", "trajectory")
"""These are packages, too; see :mod:`neoverse_ns.callable_package`."""


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"{__name__}.{name}")
    if name in __all__:
        return getattr(import_module(f"{__name__}.api"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
