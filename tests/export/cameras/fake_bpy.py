"""As much of Blender's `bpy` as makes and animates a camera; it remembers every key."""

from __future__ import annotations

import math
import sys
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any

import torch
from scipy.spatial.transform import Rotation


class Animated(SimpleNamespace):
    """Something with properties that can be keyed."""

    def keyframe_insert(self, data_path: str, *, frame: float) -> bool:
        self.keys.setdefault(data_path, []).append(
            (frame, getattr(self, data_path), self.edit.keyframe_new_interpolation_type)
        )
        return True


class FakeBlender:
    """The module, and what a script has made."""

    def __init__(self) -> None:
        self.edit = SimpleNamespace(keyframe_new_interpolation_type="BEZIER")
        self.linked: list[Any] = []
        self.scene = SimpleNamespace(
            collection=SimpleNamespace(objects=SimpleNamespace(link=self.linked.append)),
            render=SimpleNamespace(),
            camera=None,
            frame_set=lambda frame: None,
        )
        self.module = ModuleType("bpy")
        new_data = SimpleNamespace(new=lambda name: Animated(name=name, keys={}, edit=self.edit))
        new_object = SimpleNamespace(new=lambda name, data: Animated(name=name, data=data, keys={}, edit=self.edit))
        preferences = SimpleNamespace(edit=self.edit)
        vars(self.module).update(
            data=SimpleNamespace(cameras=new_data, objects=new_object),
            context=SimpleNamespace(scene=self.scene, preferences=preferences),
        )

    @contextmanager
    def installed(self):
        before = sys.modules.get("bpy")
        sys.modules["bpy"] = self.module
        try:
            yield self
        finally:
            sys.modules.pop("bpy")
            if before is not None:
                sys.modules["bpy"] = before

    def sees(self, points: torch.Tensor, key: int) -> torch.Tensor:
        """Pixels (y down) of world points [n, 3] at a key, as Blender's view plane has it."""
        camera, render = self.scene.camera, self.scene.render
        data = camera.data
        width, height = render.resolution_x, render.resolution_y
        place = torch.tensor(camera.keys["location"][key][1], dtype=torch.float64)
        w, x, y, z = camera.keys["rotation_quaternion"][key][1]
        axes = torch.from_numpy(Rotation.from_quat([x, y, z, w]).as_matrix())
        seen = (points - place) @ axes
        lens, right, up = (data.keys[name][key][1] for name in ("lens", "shift_x", "shift_y"))
        # In widths of a pixel; with a horizontal fit both shifts count in widths of the picture.
        tall = render.pixel_aspect_y / render.pixel_aspect_x
        unit = data.sensor_width / width
        across = lens * seen[:, 0] / -seen[:, 2] / unit - right * width + width / 2
        along = (lens * seen[:, 1] / -seen[:, 2] / unit - up * width) / tall + height / 2
        return torch.stack([across, height - along], dim=1)

    @property
    def fps(self) -> float:
        return self.scene.render.fps / self.scene.render.fps_base

    def frames(self) -> list[float]:
        times = {
            tuple(frame for frame, *_ in keys)
            for keys in (*self.scene.camera.keys.values(), *self.scene.camera.data.keys.values())
        }
        assert len(times) == 1
        return [frame for frame in times.pop() if math.isfinite(frame)]
