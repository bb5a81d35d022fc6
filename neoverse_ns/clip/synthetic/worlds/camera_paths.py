"""Ways of the camera: held by hand, around something, ahead, aside, turning on the spot, on a tripod."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from neoverse_ns.clip.synthetic.worlds.draw import Draw
from neoverse_ns.clip.synthetic.worlds.motions import assembled, eased, steady
from neoverse_ns.clip.synthetic.worlds.world import Poses, Times

KINDS = ("handheld", "orbit", "ahead", "aside", "pan", "walk")
STILL = "tripod"


@dataclass(frozen=True)
class CameraPath:
    """Smooth way of a camera that looks about along +z from near the world's origin.

    Attributes:
        kind: For people.
        yaw: At the start, and how much it grows, in radians.
        pitch: The same; above zero looks down.
        roll: In the middle, in radians.
        travel: From start to end, in world axes.
        orbit: Distance of the point that is walked around by the angle that yaw grows by; 0 for none.
        ease: Speeds up and slows down.
        shake: Amplitude in radians.
        steps: Amplitude of footsteps in units of length, and how many there are.
        phases: Of shake and steps.
    """

    kind: str
    yaw: tuple[float, float]
    pitch: tuple[float, float]
    roll: float
    travel: tuple[float, float, float]
    orbit: float
    ease: bool
    shake: float
    steps: tuple[float, float]
    phases: tuple[float, ...]

    def __call__(self, times: Times) -> Poses:
        s = (eased if self.ease else steady)(times)
        yaw, pitch = self.yaw[0] + self.yaw[1] * s, self.pitch[0] + self.pitch[1] * s
        position = np.array(self.travel) * (s - 0.5)[:, None]
        if self.orbit > 0:
            # The target stays where the camera of the middle of the way looks.
            middle = self.yaw[0] + self.yaw[1] / 2
            position[:, 0] += self.orbit * (math.sin(middle) - np.sin(yaw))
            position[:, 2] += self.orbit * (math.cos(middle) - np.cos(yaw))
        height, count = self.steps
        wave = [2 * math.pi * (rate * times + phase) for rate, phase in zip((3.1, 4.3, 2.3), self.phases, strict=False)]
        position[:, 1] += height * np.sin(2 * math.pi * (count * times + self.phases[3]))
        position[:, 0] += 0.6 * height * np.sin(math.pi * (count * times + self.phases[4]))
        yaw, pitch = yaw + self.shake * np.sin(wave[0]), pitch + self.shake * np.sin(wave[1])
        return assembled(_looking(yaw, pitch, self.roll + self.shake * np.sin(wave[2])), position)


def draw_camera(draw: Draw, static: bool, pitch: float) -> CameraPath:
    """A way.

    Args:
        draw: Of everything.
        static: Of a world in which nothing moves; its cameras move enough to show depth.
        pitch: About how far they look down, in radians.
    """
    kind = STILL if not static and draw.chance(0.06) else draw.one_of(KINDS)
    side = 1.0 if draw.chance(0.5) else -1.0
    travel, turn, orbit, tilt = (
        (draw.about(0.2), draw.about(0.1), draw.about(0.2)),
        draw.about(0.08),
        0.0,
        draw.about(0.05),
    )
    shake, height = math.radians(draw.between(0.0, 0.5)), draw.between(0.0, 0.03)
    if kind == "handheld":
        travel = (draw.about(0.7), draw.about(0.2), draw.about(0.5))
        shake, height = math.radians(draw.between(0.3, 1.2)), draw.between(0.01, 0.05)
    elif kind == "orbit":
        turn, orbit = side * math.radians(draw.between(8.0, 35.0)), draw.between(2.5, 6.0)
    elif kind == "ahead":
        travel = (draw.about(0.4), draw.about(0.2), draw.between(0.8, 2.5) * (side if draw.chance(0.3) else 1.0))
    elif kind == "aside":
        travel, turn = (side * draw.between(0.8, 2.6), draw.about(0.3), draw.about(0.5)), -side * draw.between(0.0, 0.3)
    elif kind == "pan":
        turn, tilt = side * math.radians(draw.between(8.0, 35.0)), draw.about(0.12)
    elif kind == "walk":
        travel, turn = (draw.about(1.2), draw.about(0.1), draw.between(0.5, 1.8)), draw.about(0.3)
        shake, height = math.radians(draw.between(0.2, 0.9)), draw.between(0.02, 0.05)
    elif kind == STILL:
        travel, turn, tilt, shake, height = (0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0
    if static and math.hypot(*travel) < 0.3 and kind != "orbit":
        travel = (side * draw.between(0.4, 1.0), travel[1], travel[2])
    pitch += draw.about(0.05)
    return CameraPath(
        kind=kind,
        yaw=(-turn / 2 + draw.about(0.1), turn),
        pitch=(pitch - tilt / 2, tilt),
        roll=draw.about(0.05),
        travel=travel,
        orbit=orbit,
        ease=draw.chance(0.4),
        shake=shake,
        steps=(height, draw.between(2.0, 6.0)),
        phases=tuple(draw.between(0.0, 1.0) for _ in range(5)),
    )


def _looking(yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray) -> np.ndarray:
    """Roll about z, then pitch down, then yaw to the right (y is down)."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    about_y = np.array([[cy, zero, sy], [zero, one, zero], [-sy, zero, cy]])
    about_x = np.array([[one, zero, zero], [zero, cp, sp], [zero, -sp, cp]])
    about_z = np.array([[cr, -sr, zero], [sr, cr, zero], [zero, zero, one]])
    return np.einsum("ijt,jkt,klt->til", about_y, about_x, about_z)
