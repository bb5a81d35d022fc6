"""COLMAP models as text: cameras.txt, images.txt, points3D.txt."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neoverse_ns.export.colmap.model import ColmapModel, colmap_model
from neoverse_ns.export.colmap.tracks import Tracks
from neoverse_ns.geometry.cameras import PinholeCameras


def write_colmap_text(
    folder: Path, cameras: PinholeCameras, names: Sequence[str], tracks: Tracks | None = None
) -> None:
    """Write a model into `folder`, which is created; see :func:`neoverse_ns.export.colmap.model.colmap_model`.

    Raises:
        SettingsError: The names are not as many as the cameras.
        OSError: The folder cannot be written.
    """
    write_text(colmap_model(cameras, names, tracks), folder)


def write_text(model: ColmapModel, folder: Path) -> None:
    """Write a model that is laid out already."""
    folder.mkdir(parents=True, exist_ok=True)
    width, height = model.size
    cameras = [
        f"{i + 1} PINHOLE {width} {height} " + " ".join(f"{value:.9g}" for value in values)
        for i, values in enumerate(model.intrinsics.tolist())
    ]
    _write(folder / "cameras.txt", "CAMERA_ID MODEL WIDTH HEIGHT fx fy cx cy", cameras)
    _write(
        folder / "images.txt",
        "IMAGE_ID QW QX QY QZ TX TY TZ CAMERA_ID NAME, then a line of X Y POINT3D_ID for every point seen",
        _images(model),
    )
    _write(
        folder / "points3D.txt",
        "POINT3D_ID X Y Z R G B ERROR, then IMAGE_ID POINT2D_IDX for every image",
        _points(model),
    )


def _images(model: ColmapModel) -> list[str]:
    point, uv = model.tracks.point.tolist(), model.tracks.uv.tolist()
    rows = []
    for i, (name, pose) in enumerate(zip(model.names, model.poses.tolist(), strict=True)):
        seen = model.observations(i)
        rows.append(f"{i + 1} {' '.join(f'{v:.12g}' for v in pose)} {model.camera[i] + 1} {name}")
        rows.append(" ".join(f"{x:.4f} {y:.4f} {p + 1}" for (x, y), p in zip(uv[seen], point[seen], strict=True)))
    return rows


def _points(model: ColmapModel) -> list[str]:
    tracks = model.tracks
    order, starts = model.by_point()
    image, place = (tracks.frame.numpy()[order] + 1).tolist(), model.place[order].tolist()
    rows = []
    for i, (xyz, rgb, error) in enumerate(
        zip(tracks.points.tolist(), tracks.colours.tolist(), tracks.errors.tolist(), strict=True)
    ):
        seen = range(starts[i], starts[i + 1])
        known = f"{xyz[0]:.9g} {xyz[1]:.9g} {xyz[2]:.9g} {rgb[0]} {rgb[1]} {rgb[2]} {error:.6g}"
        rows.append(" ".join([f"{i + 1} {known}", *(f"{image[k]} {place[k]}" for k in seen)]))
    return rows


def _write(path: Path, header: str, rows: list[str]) -> None:
    path.write_text("\n".join([f"# {header}", *rows]) + "\n", encoding="utf-8")
