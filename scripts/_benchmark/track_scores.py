"""How far tracks are from the truth, by what the points lie on."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Bool
from torch import Tensor

from _benchmark.track_truth import TrackTruth
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.metrics.tracks import median_scale, score_tracks


def score(tracks: Tracks, truth: TrackTruth, names: dict[str, list[int]]) -> dict[str, Any]:
    """Scores of all points, and of those on some things.

    Args:
        tracks: As found.
        truth: Of the same points in the same frames.
        names: Numbers of things by what their rows are called.
    """
    groups = {name: torch.isin(truth.thing, torch.tensor(numbers)) for name, numbers in names.items()}
    found = tracks.in_cameras.double()
    # One scale for the clip: a scene from one camera has none of its own.
    scale = median_scale(found, truth.in_cameras, tracks.visible & truth.visible)
    return {name: _score(tracks, truth, chosen, scale) for name, chosen in groups.items() if bool(chosen.any())}


def _score(tracks: Tracks, truth: TrackTruth, chosen: Bool[Tensor, " p"], scale: Tensor) -> dict[str, float]:
    frames = torch.arange(len(truth.visible))[:, None]
    # The frame that a point is given in is known, and would only flatter.
    asked = frames != truth.queries.frame[None, chosen]
    seen, said = truth.visible[:, chosen], tracks.visible[:, chosen]
    error = (tracks.uv[:, chosen] - truth.uv[:, chosen]).norm(dim=-1)[seen & asked]
    found, true = tracks.in_cameras.double()[:, chosen], truth.in_cameras[:, chosen]
    aside = ((scale * found - true).norm(dim=-1) / true[..., 2])[seen & asked]
    cameras = tracks.cameras
    focal = cameras.K[0, [0, 1], [0, 1]]
    tap = score_tracks(found, said, true, seen, focal, (cameras.width, cameras.height))
    hidden = ~seen & asked
    return {
        "points": int(chosen.sum()),
        "median": float(error.median()),
        "p90": float(error.quantile(0.9)),
        "occlusion": float((seen == said)[asked].double().mean()),
        "hidden": float(hidden.double().mean()),
        "depth": float(aside.median()),
        "depth_p90": float(aside.quantile(0.9)),
        "aj": tap.average_jaccard,
        "apd": tap.within,
    }
