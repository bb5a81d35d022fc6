"""The whole way from a clip to videos and files in a few lines of Python; every function is one command's work.

All of it is importable from `neoverse_ns` itself. Worlds are this package's: OpenCV axes (x right, y down, z forward),
the clip's first camera at the origin, the clip's median depth 1. Times are normalised: 0 is the clip's first sampled
frame, 1 its last. What is wrong with input is an error of :mod:`neoverse_ns.errors` that says what to do about it.
"""

from neoverse_ns.api.files import export
from neoverse_ns.api.finishing import refine
from neoverse_ns.api.paths import trajectory
from neoverse_ns.api.pictures import render
from neoverse_ns.api.runs import load
from neoverse_ns.api.scenes import optimise, reconstruct

__all__ = ["export", "load", "optimise", "reconstruct", "refine", "render", "trajectory"]
