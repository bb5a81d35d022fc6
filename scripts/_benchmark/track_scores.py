"""How far tracks are from the truth, by what the points lie on."""

from __future__ import annotations

import torch
from jaxtyping import Bool
from torch import Tensor

from _benchmark.track_truth import TrackTruth
from neoverse_ns.applications.track.tracks import Tracks
from neoverse_ns.metrics.tracks import median_scale, score_tracks, score_tracks_2d


def score(tracks: Tracks, truth: TrackTruth, names: dict[str, list[int]]) -> dict[str, dict[str, float]]:
    """Scores of points on some things, as far as there are any, and of all points.

    Args:
        tracks: As found.
        truth: Of the same points in the same frames.
        names: Numbers of things by what their rows are called.
    """
    everything = sorted(set(truth.thing.tolist()))
    groups = {name: torch.isin(truth.thing, torch.tensor(numbers)) for name, numbers in names.items()}
    groups["all"] = torch.isin(truth.thing, torch.tensor(everything))
    # One scale for the clip, which has none of its own: that of what is still.
    still = (truth.thing == 0) & (tracks.visible & truth.visible)
    scale = median_scale(tracks.in_cameras.double(), truth.in_cameras, still)
    return {name: _score(tracks, truth, chosen, scale) for name, chosen in groups.items() if bool(chosen.any())}


def _score(tracks: Tracks, truth: TrackTruth, chosen: Bool[Tensor, " p"], scale: Tensor) -> dict[str, float]:
    frames = torch.arange(len(truth.visible))[:, None]
    # The frame that a point is given in is known, and would only flatter.
    asked = frames != truth.queries.frame[None, chosen]
    seen, said = truth.visible[:, chosen], tracks.visible[:, chosen]
    uv, true_uv = tracks.uv[:, chosen].double(), truth.uv[:, chosen]
    error = (uv - true_uv).norm(dim=-1)[seen & asked]
    found, true = tracks.in_cameras.double()[:, chosen], truth.in_cameras[:, chosen]
    aside = ((scale * found - true).norm(dim=-1) / true[..., 2])[seen & asked]
    cameras = tracks.cameras
    size, focal = (cameras.width, cameras.height), cameras.K[0, [0, 1], [0, 1]]
    flat, deep = score_tracks_2d(uv, said, true_uv, seen, size), score_tracks(found, said, true, seen, focal, size)
    return {
        "points": float(chosen.sum()),
        "hidden": float((~seen & asked).sum() / asked.sum()),
        "median": float(error.median()),
        "p90": float(error.quantile(0.9)),
        "occlusion": float((seen == said)[asked].double().mean()),
        "aj": flat.average_jaccard,
        "aside": float(aside.median()),
        "aside_p90": float(aside.quantile(0.9)),
        "aj_3d": deep.average_jaccard,
    }
