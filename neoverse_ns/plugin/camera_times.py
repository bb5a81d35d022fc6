"""Which instant of the clip a nerfstudio camera shows."""

from __future__ import annotations

from nerfstudio.cameras.cameras import Cameras

from neoverse_ns.console import warn


class CameraTimes:
    """Reads times of cameras, and says once where they are missing or lie outside the clip.

    Args:
        default: Normalised time of cameras that have none.
    """

    def __init__(self, default: float) -> None:
        self._default = min(max(default, 0.0), 1.0)
        self._warned: set[str] = set()

    def of(self, camera: Cameras) -> float:
        """Normalised time of a camera: its own, clamped to the clip, or the default where it has none."""
        if camera.times is None:
            self._warn(
                "missing",
                f"this camera path has no times: drawing the clip at its normalised time {self._default:g} "
                "(set pipeline.model.default_time in config.yml to change it)",
            )
            return self._default
        time = float(camera.times.reshape(-1)[0])
        if not 0 <= time <= 1:
            self._warn(
                "outside",
                f"time {time:.3f} lies outside the clip [0, 1]: clamped (camera splines overshoot at sudden changes)",
            )
        return min(max(time, 0.0), 1.0)

    def _warn(self, kind: str, message: str) -> None:
        if kind not in self._warned:
            self._warned.add(kind)
            warn(message)
