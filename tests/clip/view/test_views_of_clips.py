"""Clips of views: from videos and folders, by metadata and by looking, as asked and as found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import ClipConfig
from neoverse_ns.clip.load import load_clip
from neoverse_ns.errors import ClipError, SettingsError
from tests.clip.box_makers import SAMPLE_ENTRY, cube_box, insert, spherical_box, stereo_box
from tests.clip.clip_makers import numbered, numbers_in, write_video
from tests.clip.view.pictures import eyes, panorama, pinhole

SHARP = {"crf": "4"}


def off(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def folder_of(path: Path, images: Sequence[np.ndarray]) -> Path:
    path.mkdir()
    for number, image in enumerate(images):
        Image.fromarray(image).save(path / f"{number}.png")
    return path


def turning(count: int) -> list[np.ndarray]:
    """A panorama whose camera turns right, 2 degrees a frame."""
    return [panorama(640, yaw=2.0 * i) for i in range(count)]


def expected(clip: Clip, fov: float, yaw: float) -> np.ndarray:
    """What a pinhole camera with the clip's own focal length sees."""
    assert clip.focal_hint is not None
    exact = 2 * math.degrees(math.atan(0.5 / clip.focal_hint.focal))
    assert exact == pytest.approx(fov, abs=4)
    return pinhole((clip.width, clip.height), exact, yaw)


@pytest.mark.parametrize("kind", ["video", "folder", "stated video"])
def test_360_degree_clips_become_the_view_ahead(kind: str, tmp_path: Path) -> None:
    images = turning(5)
    if kind == "folder":
        path = folder_of(tmp_path / "images", images)
    else:
        path = write_video(tmp_path / "clip.mp4", images, options=SHARP)
        if kind == "stated video":
            insert(path, SAMPLE_ENTRY, spherical_box())
    clip = load_clip(path, ClipConfig(num_frames=5))
    assert clip.source_size == (204, 153)
    assert (clip.width, clip.height) == (192, 144)
    assert clip.frame_indices.tolist() == list(range(5))
    assert clip.focal_hint is not None
    # The pinhole that the sphere was cut with: 640 pixels around, then as much smaller as the clip.
    assert clip.focal_hint.focal * clip.width == pytest.approx(640 / (2 * math.pi) * clip.source_scale)
    assert clip.focal_hint.uncertainty < 0.005
    for number, frame in enumerate(clip.frames.numpy()):
        assert off(frame, expected(clip, 87, 2.0 * number)) < 3
    said = [note for note in clip.notes if "--view" in note]
    assert len(said) == 1
    assert said[0].startswith(
        "a 360-degree picture (" + ("as it looks" if "st" not in kind else "its metadata says so")
    )


def test_other_views_of_a_sphere(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", turning(3), options=SHARP)
    clip = load_clip(path, ClipConfig(num_frames=3, view="170,0,60"))
    assert off(clip.frames[0].numpy(), expected(clip, 60, 170.0)) < 3
    assert off(clip.frames[2].numpy(), expected(clip, 60, 174.0)) < 3
    assert not [note for note in clip.notes if "--view" in note]
    whole = load_clip(path, ClipConfig(num_frames=3, view="none"))
    assert whole.source_size == (640, 320)
    assert whole.focal_hint is None


def test_a_direction_needs_a_picture_of_directions(tmp_path: Path) -> None:
    tall = write_video(tmp_path / "tall.mp4", [numbered(i, 96, 160) for i in range(3)])
    with pytest.raises(SettingsError, match="twice as wide as high; this one is 96x160"):
        load_clip(tall, ClipConfig(view="0,0,90"))
    # Half a sphere, as it is square.
    square = folder_of(tmp_path / "square", [panorama(320, 180, 180)])
    clip = load_clip(square, ClipConfig(view="20,0,60"))
    assert off(clip.frames[0].numpy(), expected(clip, 60, 20.0)) < 3


def pair_video(path: Path, first: int, second: int, axis: int = 1, count: int = 4) -> Path:
    """Numbered halves, of different scenes, that nobody would take for a pair by looking."""
    pictures = [
        np.concatenate([numbered(first + i, 128, 96, seed=1), numbered(second + i, 128, 96, seed=2)], axis=axis)
        for i in range(count)
    ]
    return write_video(path, pictures)


@pytest.mark.parametrize(
    ("view", "axis", "start"), [("left", 1, 10), ("right", 1, 60), ("top", 0, 10), ("bottom", 0, 60)]
)
def test_halves_as_asked(view: str, axis: int, start: int, tmp_path: Path) -> None:
    path = pair_video(tmp_path / "clip.mp4", 10, 60, axis)
    clip = load_clip(path, ClipConfig(num_frames=4, view=view))
    assert numbers_in(clip.frames) == [start + i for i in range(4)]
    assert clip.source_size == (128, 96)
    assert clip.source_scale == 1
    # Nothing was found out, so nothing is decided.
    plain = load_clip(path, ClipConfig(num_frames=4))
    assert plain.source_size == ((256, 96) if axis else (128, 192))


@pytest.mark.parametrize(("mode", "axis", "other"), [(2, 1, "right"), (1, 0, "bottom")])
def test_pairs_as_stated(mode: int, axis: int, other: str, tmp_path: Path) -> None:
    path = pair_video(tmp_path / "clip.mp4", 10, 60, axis)
    insert(path, SAMPLE_ENTRY, stereo_box(mode))
    clip = load_clip(path, ClipConfig(num_frames=4))
    assert numbers_in(clip.frames) == [10, 11, 12, 13]
    said = [note for note in clip.notes if f"--view {other}" in note]
    assert len(said) == 1
    assert "its metadata says so" in said[0]


def test_matroska_states_pairs_too(tmp_path: Path) -> None:
    import subprocess

    import imageio_ffmpeg

    made, path = pair_video(tmp_path / "made.mp4", 10, 60), tmp_path / "clip.mkv"
    ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", made, "-c", "copy"]
    # The right eye first: its half is the other one.
    subprocess.run([*ffmpeg, "-metadata:s:v:0", "stereo_mode=right_left", path], check=True)
    assert numbers_in(load_clip(path, ClipConfig(num_frames=4)).frames) == [60, 61, 62, 63]


def test_pairs_as_they_look(tmp_path: Path) -> None:
    scenes = [eyes((256, 144), seed=i) for i in range(3)]
    path = folder_of(tmp_path / "images", [np.concatenate(pair, axis=1) for pair in scenes])
    clip = load_clip(path, ClipConfig(num_frames=3, shot=0))
    assert clip.source_size == (256, 144)
    assert off(clip.frames[0].numpy(), scenes[0][0]) == 0
    right = load_clip(path, ClipConfig(num_frames=3, shot=0, view="right"))
    assert off(right.frames[0].numpy(), scenes[0][1]) == 0
    # Squeezed into a picture of the usual shape: shown as wide as it was.
    squeezed = folder_of(tmp_path / "squeezed", [np.concatenate([a[:, ::2], b[:, ::2]], axis=1) for a, b in scenes])
    clip = load_clip(squeezed, ClipConfig(num_frames=3, shot=0))
    assert (clip.width, clip.height) == (256, 144)
    assert off(clip.frames[0].numpy(), scenes[0][0]) < off(clip.frames[0].numpy(), scenes[1][0]) / 2
    assert [note for note in clip.notes if "squeezed to half their width" in note]


def test_stereo_in_all_directions(tmp_path: Path) -> None:
    images = [np.concatenate([panorama(640, yaw=i), panorama(640, yaw=i, seed=1)], axis=0) for i in range(3)]
    path = write_video(tmp_path / "clip.mp4", images, options=SHARP)
    insert(path, SAMPLE_ENTRY, stereo_box(1))
    insert(path, SAMPLE_ENTRY, spherical_box())
    clip = load_clip(path, ClipConfig(num_frames=3))
    assert off(clip.frames[0].numpy(), expected(clip, 87, 0.0)) < 3
    other = load_clip(path, ClipConfig(num_frames=3, view="bottom,90,0,60"))
    assert other.focal_hint is not None
    fov = 2 * math.degrees(math.atan(0.5 / other.focal_hint.focal))
    assert off(other.frames[0].numpy(), pinhole((other.width, other.height), fov, 90.0, 0.0, seed=1)) < 3


def test_vr180_as_stated(tmp_path: Path) -> None:
    eye = panorama(320, 180, 180)
    path = write_video(tmp_path / "clip.mp4", [np.concatenate([eye, eye[::-1]], axis=1)] * 2, options=SHARP)
    insert(path, SAMPLE_ENTRY, stereo_box(2))
    insert(path, SAMPLE_ENTRY, spherical_box(left=0.25, right=0.25))
    clip = load_clip(path, ClipConfig(num_frames=2))
    assert off(clip.frames[0].numpy(), expected(clip, 87, 0.0)) < 3
    assert [note for note in clip.notes if note.startswith("a 180-degree picture")]


def test_photo_spheres_as_stated(tmp_path: Path) -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r GPano:ProjectionType="equirectangular" '
        b'GPano:FullPanoWidthPixels="640" GPano:FullPanoHeightPixels="320" GPano:CroppedAreaImageWidthPixels="640" '
        b'GPano:CroppedAreaImageHeightPixels="200" GPano:CroppedAreaLeftPixels="0" GPano:CroppedAreaTopPixels="60"/>'
        b"</x:xmpmeta>"
    )
    Image.fromarray(panorama(640)[60:260]).save(tmp_path / "sphere.jpg", quality=95, xmp=xmp)
    clip = load_clip(tmp_path / "sphere.jpg", ClipConfig())
    assert off(clip.frames[0].numpy(), expected(clip, 87, 0.0)) < 3


def test_layouts_without_a_view_are_refused(tmp_path: Path) -> None:
    path = pair_video(tmp_path / "clip.mp4", 10, 60)
    insert(path, SAMPLE_ENTRY, cube_box())
    with pytest.raises(ClipError, match=r"cube map.*--view none"):
        load_clip(path, ClipConfig())
    assert load_clip(path, ClipConfig(view="none")).source_size == (256, 96)


def test_what_only_may_be_is_named(tmp_path: Path) -> None:
    wide = folder_of(tmp_path / "wide", [numbered(i, 256, 128) for i in range(3)])
    assert [note for note in load_clip(wide, ClipConfig()).notes if "cut a view from it with --view 0,0,90" in note]
    y, x = np.mgrid[:144, :256]
    inside = ((y - 72) ** 2 + (x - 128) ** 2 < 70**2)[..., None]
    seen = folder_of(tmp_path / "round", [numbered(255, 256, 144, seed=3) * inside.astype(np.uint8)])
    clip = load_clip(seen, ClipConfig())
    assert clip.source_size == (256, 144)
    assert [note for note in clip.notes if "the picture is round, on black: if the lens is a fisheye" in note]


def test_cuts_are_found_in_views_as_in_pictures(tmp_path: Path) -> None:
    images = [panorama(640, yaw=i) for i in range(8)] + [panorama(640, yaw=i, seed=5) for i in range(12)]
    clip = load_clip(write_video(tmp_path / "clip.mp4", images, options=SHARP), ClipConfig(num_frames=4))
    assert clip.frame_indices.tolist() == [8, 12, 15, 19]
    assert clip.focal_hint is not None
