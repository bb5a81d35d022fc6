"""From what a picture is, and what was asked for, to the view that is used."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

from neoverse_ns.clip.source import FrameSource
from neoverse_ns.clip.view.choice import FORWARD, Half, ViewChoice, parse_view
from neoverse_ns.clip.view.cut import Cut, HalfCut, SphereCut
from neoverse_ns.clip.view.glimpse import Glimpse
from neoverse_ns.clip.view.layout import HALF_SPHERE, LOOKS, Layout, Sphere, Stereo
from neoverse_ns.clip.view.pairs import find_pair
from neoverse_ns.clip.view.source import ViewSource
from neoverse_ns.clip.view.spheres import find_sphere, is_double, is_round
from neoverse_ns.errors import ClipError, SettingsError

# Shapes (width over height) of video pictures into which pairs are squeezed; other pairs keep their pixels square.
_USUAL = (1.7, 1.87)


def with_view(source: FrameSource, view: str, start: float, end: float) -> FrameSource:
    """The source itself where its pictures are used as they are, else one of views cut from them.

    Args:
        source: Pictures as they lie on disk; its notes are told what was decided.
        view: See :func:`neoverse_ns.clip.view.choice.parse_view`.
        start: Seconds from which frames are used.
        end: Seconds up to which they are.

    Raises:
        SettingsError: `view` is none, or cannot be cut from these pictures.
        ClipError: The pictures are of a kind that can neither be used as they are nor cut.
    """
    choice = parse_view(view)
    if choice == ViewChoice():
        return source
    glimpse = source.glimpse(start, end)
    if not glimpse.images:
        # What is wrong with the source is said where all of it is looked at.
        return source
    cut = choose_cut(glimpse, choice, source.notes)
    return source if cut is None else ViewSource(source.path, source.notes, whole=source, cut=cut)


def choose_cut(glimpse: Glimpse, choice: ViewChoice, notes: list[str]) -> Cut | None:
    """What to cut; None for pictures that are used as they are. See :func:`with_view`."""
    layout = glimpse.stated or _looked(glimpse)
    if layout.unusable is not None:
        _refuse_or_name(layout, choice, notes)
    eye = _eye(layout, glimpse.size, choice, notes)
    size = glimpse.size if eye is None else eye.size(glimpse.size)
    direction, sphere = choice.direction, layout.sphere
    if direction is None and sphere is None:
        if choice.auto and eye is None:
            _name_what_it_may_be(glimpse, notes)
        return eye
    if sphere is None:
        sphere = _supposed(size)
    if direction is None:
        direction = FORWARD
        notes.append(
            f"a {sphere.across:.0f}-degree picture ({layout.origin}): using the view straight ahead, 90 degrees wide; "
            "choose another with --view YAW,PITCH,FOV, such as 45,0,90 to the right, or none"
        )
    return SphereCut(sphere, direction, eye)


def _looked(glimpse: Glimpse) -> Layout:
    pair = find_pair(glimpse.images)
    halves = [half for image in glimpse.images for half in [_first_half(image, pair)]]
    sphere = Sphere() if find_sphere(halves) else None
    return Layout(stereo=pair, sphere=sphere, origin=LOOKS)


def _first_half(image: UInt8[np.ndarray, "h w 3"], pair: Stereo | None) -> UInt8[np.ndarray, "hh hw 3"]:
    if pair is None:
        return image
    return HalfCut("left" if pair == "beside" else "top", squeezed=False).apply(image)


def _eye(layout: Layout, size: tuple[int, int], choice: ViewChoice, notes: list[str]) -> HalfCut | None:
    """The half that is used, if one is."""
    if choice.half is not None:
        return HalfCut(choice.half, _squeezed(size, layout.sphere))
    if layout.stereo is None:
        return None
    beside = layout.stereo == "beside"
    names: tuple[Half, Half] = ("left", "right") if beside else ("top", "bottom")
    half, other = names[::-1] if layout.swapped else names
    squeezed = _squeezed(size, layout.sphere)
    form = ", squeezed to half their width" if squeezed and beside else ", squeezed to half their height"
    notes.append(
        f"two views {'beside' if beside else 'above'} each other, one for each eye{form if squeezed else ''} "
        f"({layout.origin}): using the left eye's; --view {other} takes the other, --view none both as one picture"
    )
    return HalfCut(half, squeezed)


def _squeezed(size: tuple[int, int], sphere: Sphere | None) -> bool:
    """Whether halves were squeezed: no pair of plain views fits a usual picture otherwise."""
    return sphere is None and _USUAL[0] <= size[0] / size[1] <= _USUAL[1]


def _supposed(size: tuple[int, int]) -> Sphere:
    """What a picture covers that the user takes for a sphere: all of it or half, by its shape."""
    width, height = size
    across = 360.0 if width >= 1.5 * height else 180.0
    if across * height / width > 181:
        raise SettingsError(
            f"--view with a direction needs a 360-degree picture, twice as wide as high; this one is {width}x{height}"
        )
    beyond = (1 - across / 360) / 2
    above = max((1 - across * height / width / 180) / 2, 0.0)
    return HALF_SPHERE if across == 180.0 and above == 0 else Sphere(beyond, beyond, above, above)


def _refuse_or_name(layout: Layout, choice: ViewChoice, notes: list[str]) -> None:
    if layout.unusable == "a fisheye picture":
        notes.append(_FISHEYE.format("its metadata names a fisheye lens"))
    elif choice.auto:
        raise ClipError(
            f"{layout.unusable} ({layout.origin}), from which no view can be cut: convert it first, with ffmpeg's v360 "
            "or stereo3d filter, or take the pictures as they are with --view none"
        )


_FISHEYE = (
    "{}: if the lens is a fisheye, straighten the video first, such as with "
    "ffmpeg -i IN -vf v360=fisheye:flat:ih_fov=180:iv_fov=180:h_fov=90:v_fov=70 OUT"
)


def _name_what_it_may_be(glimpse: Glimpse, notes: list[str]) -> None:
    """Say what cannot be told for sure."""
    if is_round(glimpse.images):
        notes.append(_FISHEYE.format("the picture is round, on black"))
    elif is_double(*glimpse.size):
        notes.append(
            "the picture is twice as wide as high, as 360-degree video is, though it does not look like one: "
            "if it is one, cut a view from it with --view 0,0,90"
        )
