"""Motion from the tracks of a data set, once they have been checked against its cameras and its depth."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from neoverse_ns.training.data.motion.surface_sampling import sample_surface
from neoverse_ns.training.data.motion.tracks import track_agreement, track_displacement
from neoverse_ns.training.data.motion.view import View
from neoverse_ns.training.data.truth import Displacement

FARTHEST_PIXELS = 1.0
"""From where a track is said to be seen to where its place projects."""

FARTHEST_DEPTH = 0.02
"""Relative difference between a track's z-depth and the map's at its pixel."""


@dataclass(frozen=True)
class FrameTracks:
    """All tracks of a clip in one frame.

    Attributes:
        places: World positions, not finite where unknown.
        uv: Image coordinates.
        z: z-depth where the set gives it with the coordinates; else None.
        visible: Seen in the frame.
        known: The position means something, seen or hidden.
    """

    places: Float64[Tensor, "p 3"]
    uv: Float64[Tensor, "p 2"]
    z: Float64[Tensor, " p"] | None
    visible: Bool[Tensor, " p"]
    known: Bool[Tensor, " p"]


def checked_displacement(view: View, other: View, tracks: FrameTracks, later: FrameTracks) -> Displacement:
    """Motion of the tracks that agree with the frame's camera and depth map.

    World positions are believed where most of a frame's visible tracks project within 1 pixel of their image
    coordinates. Otherwise they stand in another world than the cameras', and both ends are lifted from the image
    coordinates instead. Each track then has to be as deep as the map at its pixel within 2 %.

    Args:
        view: Of the frame.
        other: Of the other frame.
        tracks: In the frame.
        later: The same tracks in the other frame.
    """
    places, other_places = _placed(view, tracks), _placed(other, later)
    pixels = track_agreement(view, places, tracks.visible, tracks.uv).pixels
    if not pixels <= FARTHEST_PIXELS:
        places, other_places = _lifted(view, tracks), _lifted(other, later)
    usable = tracks.visible & _agreeing(view, places, tracks.uv)
    return track_displacement(view, places, other_places, usable)


def _placed(view: View, tracks: FrameTracks) -> Float64[Tensor, "p 3"]:
    return torch.where(tracks.known[:, None], tracks.places, torch.nan)


def _lifted(view: View, tracks: FrameTracks) -> Float64[Tensor, "p 3"]:
    """World positions from image coordinates, at the tracks' own z-depth or, where they are seen, at the map's."""
    if tracks.z is None:
        uv = torch.nan_to_num(tracks.uv, nan=-1.0, posinf=-1.0, neginf=-1.0)
        found, there = sample_surface(view.depth[..., None], view.known, view.depth, uv)
        z = torch.where(tracks.visible & there, found[:, 0], torch.nan)
    else:
        z = torch.where(tracks.known & (tracks.z > 0), tracks.z, torch.nan)
    focal = torch.stack([view.K[0, 0], view.K[1, 1]])
    camera = torch.cat([(tracks.uv - view.K[:2, 2]) / focal, torch.ones_like(z)[:, None]], dim=1) * z[:, None]
    return camera @ view.c2w[:3, :3].T + view.c2w[:3, 3]


def _agreeing(view: View, places: Float64[Tensor, "p 3"], uv: Float64[Tensor, "p 2"]) -> Bool[Tensor, " p"]:
    """Tracks that project to where they are said to be seen, and that are as deep as what the map shows there."""
    own, z = view.project(places)
    near = (own - uv).norm(dim=1) <= FARTHEST_PIXELS
    inside = torch.isfinite(own).all(1) & view.inside(own)
    x, y = torch.where(inside[:, None], own, 0).long().unbind(1)
    there = view.depth[y, x].double()
    return near & inside & (there > 0) & ((z - there).abs() <= FARTHEST_DEPTH * there)
