"""Exported files as programs that know nothing of this package read them: by each format's own rules or reader."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from plyfile import PlyData
from torch import Tensor

from neoverse_ns.gaussians.instant import GaussiansAtTime
from neoverse_ns.geometry import quaternions
from neoverse_ns.geometry.cameras import PinholeCameras

SH_C0 = 0.28209479177387814
CUTOFF = 1 / 255
CAMERA_FLIP = torch.tensor([1.0, -1.0, -1.0, 1.0])
"""From cameras that look along -z with y up to those that look along +z with y down."""


def splats(means: Any, quats: Any, scales: Any, opacities: Any, harmonics: Any) -> GaussiansAtTime:
    """Arrays as Gaussians; rotations wxyz, harmonics [n,3] or [n,b,3]."""
    table = [torch.from_numpy(np.array(values, np.float32)) for values in (means, quats, scales, opacities, harmonics)]
    sh = table[4] if table[4].ndim == 3 else table[4][:, None]
    return GaussiansAtTime(table[0], table[1], table[2], table[3], sh, torch.arange(len(table[0])))


def moved(now: GaussiansAtTime, matrix: Tensor) -> GaussiansAtTime:
    """Gaussians under a rigid transform [4,4]."""
    rotation = matrix[:3, :3].to(now.means)
    q = quaternions.from_matrix(rotation).expand(len(now.quats), 4)
    means = now.means @ rotation.T + matrix[:3, 3].to(now.means)
    return replace(now, means=means, quats=quaternions.multiply(q, now.quats))


def read_ply(path: Path) -> GaussiansAtTime:
    """A PLY as a splat viewer understands it."""
    vertex = PlyData.read(str(path))["vertex"]

    def columns(*names: str) -> NDArray:
        return np.stack([np.asarray(vertex[name], np.float32) for name in names], axis=-1)

    return splats(
        columns("x", "y", "z"),
        columns(*(f"rot_{i}" for i in range(4))),
        np.exp(columns(*(f"scale_{i}" for i in range(3)))),
        1 / (1 + np.exp(-columns("opacity")[:, 0])),
        columns(*(f"f_dc_{i}" for i in range(3))),
    )


def read_spz(path: Path) -> GaussiansAtTime:
    """SPZ through gsply; y is up."""
    data = import_module("gsply").read_spz(path)
    return splats(data.means, data.quats, np.exp(data.scales), 1 / (1 + np.exp(-data.opacities)), data.sh0)


def glb_parts(path: Path) -> tuple[dict[str, Any], bytes]:
    """JSON and binary part of a GLB."""
    blob = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", blob)
    assert (magic, version, length) == (b"glTF", 2, len(blob))
    parts, at = {}, 12
    while at < len(blob):
        size, kind = struct.unpack_from("<I4s", blob, at)
        parts[kind] = blob[at + 8 : at + 8 + size]
        at += 8 + size
    return json.loads(parts[b"JSON"]), parts[b"BIN\0"]


def glb_accessor(document: dict[str, Any], binary: bytes, number: int) -> NDArray:
    """One attribute's values."""
    accessor = document["accessors"][number]
    view = document["bufferViews"][accessor["bufferView"]]
    kind = {5126: "<f4", 5121: "u1"}[accessor["componentType"]]
    width = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}[accessor["type"]]
    start = view["byteOffset"] + accessor.get("byteOffset", 0)
    values = np.frombuffer(binary, kind, accessor["count"] * width, start)
    return values if width == 1 else values.reshape(-1, width)


def read_glb(path: Path) -> tuple[GaussiansAtTime, PinholeCameras]:
    """Gaussians and the first camera of a GLB in its world (y up); the camera has 1000 pixels in height."""
    document, binary = glb_parts(path)
    places: dict[int, Tensor] = {}

    def walk(number: int, parent: Tensor) -> None:
        node = document["nodes"][number]
        places[number] = parent @ _local(node)
        for child in node.get("children", []):
            walk(child, places[number])

    for root in document["scenes"][document["scene"]]["nodes"]:
        walk(root, torch.eye(4))
    with_mesh = next(i for i, node in enumerate(document["nodes"]) if "mesh" in node)
    with_camera = next(i for i, node in enumerate(document["nodes"]) if "camera" in node)
    (primitive,) = document["meshes"][document["nodes"][with_mesh]["mesh"]]["primitives"]
    get = {name: glb_accessor(document, binary, number) for name, number in primitive["attributes"].items()}
    prefix = "KHR_gaussian_splatting:"
    now = splats(
        get["POSITION"],
        get[f"{prefix}ROTATION"][:, [3, 0, 1, 2]],
        get[f"{prefix}SCALE"],
        get[f"{prefix}OPACITY"],
        get[f"{prefix}SH_DEGREE_0_COEF_0"],
    )
    lens = document["cameras"][document["nodes"][with_camera]["camera"]]["perspective"]
    height, width = 1000, round(1000 * lens["aspectRatio"])
    focal = height / 2 / np.tan(lens["yfov"] / 2)
    K = torch.tensor([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]], dtype=torch.float32)
    c2w = places[with_camera] * CAMERA_FLIP
    return moved(now, places[with_mesh]), PinholeCameras(c2w[None], K[None], width, height)


def _local(node: dict[str, Any]) -> Tensor:
    if "matrix" in node:
        return torch.tensor(node["matrix"], dtype=torch.float32).reshape(4, 4).T
    matrix = torch.eye(4)
    x, y, z, w = node.get("rotation", [0, 0, 0, 1])
    matrix[:3, :3] = quaternions.to_matrix(torch.tensor([w, x, y, z], dtype=torch.float32))
    matrix[:3, 3] = torch.tensor(node.get("translation", [0.0, 0.0, 0.0]))
    return matrix


def read_usd(path: Path, second: float, height: int) -> tuple[GaussiansAtTime, PinholeCameras]:
    """Gaussians and camera of a USD stage in its world, `second` after its start, through USD itself.

    Args:
        path: The stage.
        second: Since the start.
        height: Of the camera's pictures in pixels.
    """
    Usd, UsdGeom, UsdVol = (import_module(f"pxr.{name}") for name in ("Usd", "UsdGeom", "UsdVol"))
    stage = Usd.Stage.Open(str(path))
    code = Usd.TimeCode(stage.GetStartTimeCode() + second * stage.GetTimeCodesPerSecond())
    prims = {prim.GetTypeName(): prim for prim in stage.Traverse()}
    field = UsdVol.ParticleField3DGaussianSplat(prims["ParticleField3DGaussianSplat"])

    def get(attribute: Any) -> NDArray:
        return np.array(attribute.Get(code), np.float32)

    now = splats(
        get(field.GetPositionsAttr()),
        # NumPy sees the imaginary part first.
        get(field.GetOrientationsAttr())[:, [3, 0, 1, 2]],
        get(field.GetScalesAttr()),
        get(field.GetOpacitiesAttr()),
        get(field.GetRadianceSphericalHarmonicsCoefficientsAttr()),
    )
    place = UsdGeom.Xformable(field.GetPrim()).ComputeLocalToWorldTransform(code)
    camera = UsdGeom.Camera(prims["Camera"]).GetCamera(code)
    window = camera.frustum.GetWindow()
    (left, bottom), (right, top) = window.GetMin(), window.GetMax()
    # The window lies at distance 1; pixels are square there.
    focal = height / (top - bottom)
    K = torch.tensor([[focal, 0, -left * focal], [0, focal, top * focal], [0, 0, 1]], dtype=torch.float32)
    c2w = torch.tensor(np.array(camera.transform).T, dtype=torch.float32) * CAMERA_FLIP
    view = PinholeCameras(c2w[None], K[None], round((right - left) * focal), height)
    return moved(now, torch.tensor(np.array(place).T, dtype=torch.float32)), view


def read_fourdgs(path: Path) -> Callable[[float], GaussiansAtTime]:
    """What a `.4dgs` file shows at a second, in its world, through the package fourdgs."""
    g = import_module("fourdgs").read(str(path)).gaussians
    scales, colours = np.asarray(g.scales), np.asarray(g.colors)

    def at(second: float) -> GaussiansAtTime:
        state = g.state_at(second, CUTOFF)
        rows = state["indices"]
        harmonics = (colours[rows, :3] - 0.5) / SH_C0
        turns = state["orientations"][:, [3, 0, 1, 2]]
        return splats(state["centers"], turns, scales[rows], state["opacity"], harmonics)

    return at


def read_npz(path: Path) -> Callable[[float], list[GaussiansAtTime]]:
    """What `scene_4d.npz` shows at a normalised time, layer by layer, as its entry `about` says, in NumPy alone."""
    with np.load(path) as file:
        a = {name: file[name] for name in file.files}

    def at(time: float) -> list[GaussiansAtTime]:
        before, middle, after = (a[name] for name in ("time_previous", "time", "time_next"))
        alive = ~a["dynamic"] | ((before < time) & (time < after))
        if a["nearest_only"]:
            alive &= ~a["dynamic"] | ((time <= (middle + after) / 2) & (time > (before + middle) / 2))
        layers = []
        for number in range(len(a["layer_names"])):
            rows = np.flatnonzero(alive & (a["layer"] == number))
            side = np.where(time > middle[rows], 0, 1)
            gap = np.where(side == 0, (after - middle)[rows], (middle - before)[rows])
            x = np.where(a["dynamic"][rows], np.abs(time - middle[rows]) / gap, 0)
            power = 1 / (1 - a["life_spans"][rows] + 1e-6)
            opacities = a["opacities"][rows] * np.exp(-a["gamma"] * np.where(x > 0, x**power, 0))
            turns = _turned(a["rotations"][rows], x[:, None] * a["angular_velocities"][rows, side])
            means = a["positions"][rows] + x[:, None] * a["velocities"][rows, side]
            layers.append(splats(means, turns, a["scales"][rows], opacities, (a["colours"][rows] - 0.5) / SH_C0))
        return layers

    return at


def _turned(q: NDArray, w: NDArray) -> NDArray:
    """Quaternions wxyz times those of rotation vectors."""
    angle = np.linalg.norm(w, axis=1, keepdims=True)
    axis = w / np.maximum(angle, 1e-12)
    c, v = np.cos(angle / 2), np.sin(angle / 2) * axis
    real = q[:, :1] * c - (q[:, 1:] * v).sum(axis=1, keepdims=True)
    return np.concatenate([real, q[:, :1] * v + c * q[:, 1:] + np.cross(q[:, 1:], v)], axis=1)
