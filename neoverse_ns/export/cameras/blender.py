"""A camera for Blender: a Python file that makes it, animated, with nothing to install."""

from __future__ import annotations

from neoverse_ns.export.cameras.track import CameraTrack
from neoverse_ns.geometry import quaternions

SENSOR = 36.0
"""Width of the sensor in millimetres: Blender's own."""

_SCRIPT = '''\
"""Makes an animated camera. In Blender: Scripting > Open > this file > Run; or: blender --python {name}

The world has z up and the clip's first camera looks along +y. Splats that were exported in the axes of the first camera
(y down, z forward) fit when they are turned by -90 degrees about x.
"""
import math

import bpy

WIDTH, HEIGHT = {width}, {height}
FPS = {fps!r}
SENSOR = {sensor!r}  # millimetres
PIXEL_ASPECT = {aspect!r}  # across, along
# Frame, position, rotation (w, x, y, z), focal length in millimetres, shift right and up in widths of the picture.
KEYS = [
{keys}
]


def make_camera():
    scene = bpy.context.scene
    data = bpy.data.cameras.new("NeoVerse")
    camera = bpy.data.objects.new("NeoVerse", data)
    scene.collection.objects.link(camera)
    scene.camera = camera
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = 100
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = PIXEL_ASPECT
    # Blender's rate is a whole number over a base.
    scene.render.fps = max(1, round(FPS))
    scene.render.fps_base = scene.render.fps / FPS
    scene.frame_start, scene.frame_end = 1, max(1, math.ceil(KEYS[-1][0] - 1e-6))
    data.type = "PERSP"
    data.sensor_fit = "HORIZONTAL"
    data.sensor_width = SENSOR
    data.clip_start, data.clip_end = 0.01, 10000.0
    camera.rotation_mode = "QUATERNION"
    edit = bpy.context.preferences.edit
    before, edit.keyframe_new_interpolation_type = edit.keyframe_new_interpolation_type, "LINEAR"
    try:
        for frame, position, rotation, lens, right, up in KEYS:
            camera.location, camera.rotation_quaternion = position, rotation
            data.lens, data.shift_x, data.shift_y = lens, right, up
            for name in ("location", "rotation_quaternion"):
                camera.keyframe_insert(name, frame=frame)
            for name in ("lens", "shift_x", "shift_y"):
                data.keyframe_insert(name, frame=frame)
    finally:
        edit.keyframe_new_interpolation_type = before
    scene.frame_set(1)
    return camera


make_camera()
'''


def blender_script(track: CameraTrack, name: str) -> str:
    """Text of the Python file called `name`.

    Keys stand at the frames' own moments, counted from frame 1, fractions included. Pixels that are not square are the
    picture's, not the camera's, in Blender: they have one shape, that of the first frame.
    """
    K, size = track.cameras.K, (track.cameras.width, track.cameras.height)
    stretch = float(K[0, 1, 1] / K[0, 0, 0])
    aspect = (stretch, 1.0) if stretch >= 1 else (1.0, 1 / stretch)
    c2w = track.opengl_z_up()
    rotations = quaternions.from_matrix(c2w[:, :3, :3])
    keys = []
    for i in range(len(track)):
        # The nearer of a quaternion and its opposite: components are interpolated one by one.
        if i and float(rotations[i] @ rotations[i - 1]) < 0:
            rotations[i] = -rotations[i]
        fx, cx, cy = (float(K[i][place]) for place in ((0, 0), (0, 2), (1, 2)))
        shift = (size[0] / 2 - cx) / size[0], (cy - size[1] / 2) / stretch / size[0]
        values = [
            _text(1 + float(track.seconds[i] - track.seconds[0]) * track.fps),
            _tuple(c2w[i, :3, 3].tolist()),
            _tuple(rotations[i].tolist()),
            _text(SENSOR * fx / size[0]),
            *(_text(value) for value in shift),
        ]
        keys.append(f"    ({', '.join(values)}),")
    return _SCRIPT.format(
        name=name, width=size[0], height=size[1], fps=track.fps, sensor=SENSOR, aspect=aspect, keys="\n".join(keys)
    )


def _tuple(values: list[float]) -> str:
    return f"({', '.join(_text(value) for value in values)})"


def _text(value: float) -> str:
    return f"{value:.9g}"
