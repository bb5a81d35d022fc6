"""Camera solvers by name."""

from __future__ import annotations

from collections.abc import Callable

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.cameras.task import CameraMethod
from neoverse_ns.evaluation.methods.method_text import parse_method
from neoverse_ns.evaluation.methods.solvers.colmap import MAPPINGS, ColmapSolver
from neoverse_ns.evaluation.methods.solvers.openmvg import OpenmvgSolver
from neoverse_ns.evaluation.methods.solvers.own import BundleSolver, ReconstructorSolver
from neoverse_ns.reconstruct.config import SceneConfig

CAMERA_METHODS: dict[str, Callable[[], CameraMethod]] = {
    "bundle": BundleSolver,
    "network": lambda: ReconstructorSolver(SceneConfig(reconstructor="network")),
    "da3": lambda: ReconstructorSolver(SceneConfig(reconstructor="da3")),
    **{name: (lambda name=name: ColmapSolver(name)) for name in MAPPINGS},
    "openmvg": OpenmvgSolver,
}
"""Our reconstructors, COLMAP's incremental and global mapping, OpenMVG."""

TOLD_FOCAL = ("bundle", *MAPPINGS)
"""Those that can be told the focal length."""


def camera_method(text: str) -> CameraMethod:
    """The solver of `name`, or of `name:focal=given`, which is told the true focal length.

    Raises:
        SettingsError: There is none of that name, or it has not that setting.
    """
    name, settings = parse_method(text)
    if name not in CAMERA_METHODS:
        raise SettingsError(f"no method named '{name}' finds cameras; there are {', '.join(CAMERA_METHODS)}")
    method = CAMERA_METHODS[name]()
    focal = settings.pop("focal", "unknown")
    if settings or focal not in ("given", "unknown"):
        raise SettingsError(f"method '{text}': camera solvers have the one setting focal=given or focal=unknown")
    if focal == "given":
        if name not in TOLD_FOCAL:
            raise SettingsError(f"method '{text}': {name} cannot be told the focal length; {', '.join(TOLD_FOCAL)} can")
        method.focal_given = True
        method.name = text
    return method
