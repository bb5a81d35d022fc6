"""The tables' columns: where each finds its value in a row."""

from __future__ import annotations

from dataclasses import dataclass

from neoverse_ns.evaluation.data.clips.windows import TRACKING


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        title: Header, with the unit.
        path: Keys that lead to the value inside a row.
        digits: Decimals shown.
        summary: How all clips are summarised: "median", "mean" or "" for not at all.
    """

    title: str
    path: tuple[str, ...]
    digits: int
    summary: str = ""


GEOMETRY_COLUMNS = (
    Column("solved", ("geometry", "solved"), 0),
    Column("of", ("geometry", "frames"), 0),
    Column("ATE % of path", ("geometry", "ate_percent_of_path"), 2, "median"),
    Column("ATE %, distinct poses", ("geometry", "ate_percent_distinct"), 2),
    Column("rotation °/step", ("geometry", "rotation_degrees_per_step"), 3, "median"),
    Column("focal error %", ("geometry", "focal_error_percent"), 1, "median"),
    Column("depth AbsRel", ("geometry", "depth_abs_rel"), 3, "median"),
    Column("AbsRel, median ratio", ("geometry", "depth_abs_rel_median_ratio"), 3, "median"),
    Column("static AbsRel", ("geometry", "depth_abs_rel_static"), 3, "median"),
    Column("moving IoU", ("geometry", "dynamic_iou"), 2, "median"),
    Column("seconds", ("geometry", "seconds"), 1, "median"),
    Column("peak GB", ("geometry", "peak_gb"), 2, "median"),
)
PATH_COLUMNS = (
    Column("unsolved", ("geometry", "unsolved"), 0),
    Column("largest step / median", ("geometry", "steps", "step_over_median"), 2, "median"),
    Column("the truth's", ("geometry", "true_steps", "step_over_median"), 2, "median"),
    Column("largest step / depth %", ("geometry", "step_percent_of_depth"), 2, "median"),
    Column("largest turn / median", ("geometry", "steps", "turn_over_median"), 2, "median"),
    Column("the truth's", ("geometry", "true_steps", "turn_over_median"), 2, "median"),
    Column("largest turn °", ("geometry", "steps", "turn_degrees"), 2, "median"),
    Column("moving %", ("geometry", "dynamic_percent"), 1, "median"),
    Column("all finite", ("geometry", "all_finite"), 0),
)


def _held_out(title: str, key: str, digits: int) -> tuple[Column, ...]:
    """One measure of held-out frames: baselines, and the scene of every protocol measured."""
    return (
        Column(f"repeat {title}", ("baselines", "repeat_previous", key), digits, "mean"),
        Column(f"flow {title}", ("baselines", "flow_interpolation", key), digits, "mean"),
        *(Column(f"scene {way.name} {title}", (way.key, key), digits, "mean") for way in TRACKING.values()),
    )


VIEW_COLUMNS = (
    *_held_out("dB", "psnr", 1),
    *_held_out("SSIM", "ssim", 3),
    Column("train s", ("scene", "train_seconds"), 0, "mean"),
    Column("train GB", ("scene", "train_peak_gb"), 1, "mean"),
    Column("protocol m1 was", ("scene", "protocol"), 0),
)
MOVING_COLUMNS = (Column("share", ("scene", "dynamic_share"), 3, "mean"), *_held_out("dB", "psnr_dynamic", 1))
STILL_COLUMNS = _held_out("dB", "psnr_static", 1)
KEYFRAME_COLUMNS = tuple(
    Column(f"{title} {way.name} dB", (way.key, "keyframes", key), 1, "mean")
    for title, key in (("mean", "mean"), ("worst", "worst"))
    for way in TRACKING.values()
)
THING_COLUMNS = (
    Column("IoU of masks", ("scene", "things", "iou"), 2, "mean"),
    *(
        Column(f"{where}, {title}", ("scene", "things", where, over, key), 3, "mean")
        for where, over in (("solved", "mean"), ("drawn", "typical"))
        for title, key in (("thing 1", "1"), ("thing 2", "2"), ("thing 3", "3"), ("worst frame", "worst_frame"))
    ),
)
RIGHT_COLUMNS = (
    Column("shift dB", ("baselines", "right_shift", "psnr"), 1, "mean"),
    Column("aligned dB", ("scene", "right_aligned", "psnr"), 1, "mean"),
    Column("beside dB", ("scene", "right_beside", "psnr"), 1, "mean"),
    Column("shift SSIM", ("baselines", "right_shift", "ssim"), 3, "mean"),
    Column("aligned SSIM", ("scene", "right_aligned", "ssim"), 3, "mean"),
    Column("beside SSIM", ("scene", "right_beside", "ssim"), 3, "mean"),
)
RIGHT_MOVING_COLUMNS = (
    Column("shift dB", ("baselines", "right_shift", "psnr_dynamic"), 1, "mean"),
    Column("aligned dB", ("scene", "right_aligned", "psnr_dynamic"), 1, "mean"),
    Column("beside dB", ("scene", "right_beside", "psnr_dynamic"), 1, "mean"),
)
SECTIONS = {
    "Geometry": GEOMETRY_COLUMNS,
    "Camera path and masks": PATH_COLUMNS,
    "Held-out frames": VIEW_COLUMNS,
    "Moving pixels of held-out frames": MOVING_COLUMNS,
    "Still pixels of held-out frames": STILL_COLUMNS,
    "Training keyframes at the end": KEYFRAME_COLUMNS,
    "Moving things: masks, and relative error of depth": THING_COLUMNS,
    "Unseen right camera": RIGHT_COLUMNS,
    "Moving pixels of the unseen right camera": RIGHT_MOVING_COLUMNS,
}
"""Tables of scripts/benchmark.py."""

SOLVERS = {"ours": "ours", "colmap": "COLMAP", "glomap": "COLMAP global", "openmvg": "OpenMVG"}
"""Solvers of scripts/benchmark_colmap.py by their name in a row, and what tables call them."""


def _of_each(title: str, key: str, digits: int, summary: str = "") -> tuple[Column, ...]:
    """One measure of every solver."""
    return tuple(Column(f"{shown} {title}", (name, key), digits, summary) for name, shown in SOLVERS.items())


COLMAP_SECTIONS = {
    "Frames solved, and places": (
        Column("of", ("ours", "frames"), 0),
        *_of_each("solved", "solved", 0),
        *_of_each("ATE % of path", "ate_percent_of_path", 2, "median"),
        *_of_each("ATE %, distinct poses", "ate_percent_distinct", 2),
    ),
    "Directions and focal lengths": (
        *_of_each("rotation °/step", "rotation_degrees_per_step", 3, "median"),
        *_of_each("focal error %", "focal_error_percent", 1, "median"),
    ),
    "Seconds": (
        *_of_each("s", "seconds", 1, "median"),
        Column("COLMAP s / ours", ("times_faster",), 1, "median"),
    ),
}
"""The tables of scripts/benchmark_colmap.py: all solvers side by side."""


def _compared(key: str, digits: int, *path: str) -> tuple[Column, ...]:
    """One measure of the drawing and of both refiners."""
    titles = {"psnr": "dB", "ssim": "SSIM", "lpips": "LPIPS"}
    titles |= {"change_error": "change error", "path_flicker": "flicker", "path_change": "change"}
    names = ("render", "telea", "internal")
    return tuple(Column(f"{name} {titles[key]}", (*path, name, key), digits, "mean") for name in names)


def _images(*path: str) -> tuple[Column, ...]:
    return _compared("psnr", 2, *path) + _compared("ssim", 3, *path) + _compared("lpips", 3, *path)


REFINE_SECTIONS = {
    "Degraded drawings of held-out frames": _images("simulated"),
    "Held-out frames of the scene as it is": _images("as_lifted"),
    "Unseen right camera, beside the left": _images("right", "beside"),
    "Unseen right camera, aligned by the whole path": _images("right", "aligned"),
    "Steadiness (grey levels): change error against the truth, degraded; on a path aside flicker along the flow, and "
    "bare change": (
        *_compared("change_error", 2, "steadiness"),
        *_compared("path_flicker", 2, "steadiness"),
        *_compared("path_change", 2, "steadiness"),
    ),
    "Seconds": (
        Column("teaching internal", ("seconds", "internal"), 1, "mean"),
        Column("internal, a frame", ("simulated", "internal_seconds_per_frame"), 3, "mean"),
        Column("telea, a frame", ("simulated", "telea_seconds_per_frame"), 3, "mean"),
    ),
}
"""Tables of scripts/benchmark_refine.py."""


def _three(title: str, digits: int, *path: str) -> tuple[Column, ...]:
    """One measure without the stage, with as many steps more, and with it."""
    names = {"without": "", "steps": ", more steps", "refined": ", stage"}
    return tuple(Column(title + end, ("stage", name, *path), digits, "mean") for name, end in names.items())


STAGE_SECTIONS = {
    "Held-out frames": (*_three("dB", 2, "psnr"), *_three("SSIM", 3, "ssim")),
    "Unseen right camera, beside the left": (
        *_three("dB", 2, "right_beside", "psnr"),
        *_three("SSIM", 3, "right_beside", "ssim"),
    ),
    "Unseen right camera, aligned by the whole path": (
        *_three("dB", 2, "right_aligned", "psnr"),
        *_three("SSIM", 3, "right_aligned", "ssim"),
    ),
    "Costs": (
        *_three("ns-train s", 0, "seconds"),
        Column("new Gaussians", ("stage", "refined", "inpainted"), 0, "mean"),
    ),
}
"""The tables of refinement as a stage of training: the same run without it, with as many more steps, and with it."""


def _shown(name: str, where: str, title: str) -> tuple[Column, ...]:
    """Agreement of one file with the layers from one camera: mean and worst."""
    return (
        Column(title, (name, where, "mean"), 1),
        Column("worst", (name, where, "worst"), 1),
    )


EXPORT_SECTIONS = {
    "Shown, dB against the layers": (
        *_shown("export", "own", "frames"),
        *_shown("export", "between", "between frames"),
        *_shown("export", "aside", "8° aside"),
    ),
    "Held-out frames, dB against the clip": (
        Column("layers", ("export", "layers", "mean"), 2),
        Column("export", ("export", "truth", "mean"), 2),
        Column("lost", ("export", "lost"), 2),
    ),
    "Size and time": (
        Column("MB", ("export", "megabytes"), 1),
        Column("CPU seconds to decide what shows", ("export", "choose"), 1),
        Column("CPU seconds to write", ("export", "write"), 1),
    ),
}
"""The tables of scripts/benchmark_export.py."""


def _cameras_of(key: str, turn: str, *more: Column) -> tuple[Column, ...]:
    """What the solve says of the clips measured under `key`, and its errors; `turn` names the rotation error."""
    means = {"median": "rotation_degrees_per_step", "mean": "rotation_degrees_per_step_mean"}
    return (
        Column("kind", (key, "kind"), 0),
        Column("lens", (key, "lens"), 0),
        Column("ATE % of path", (key, "ate_percent_of_path"), 2, "median"),
        *more,
        Column(f"rotation °/step, {turn}", (key, means[turn]), 3, "median"),
        Column("focal error %", (key, "focal_error_percent"), 1, "median"),
        Column("focal interval %", (key, "interval"), 0),
        Column("holds the truth", (key, "interval_holds"), 0),
        Column("focal from", (key, "focal_from"), 0),
        Column("confidence (doubts)", (key, "trust"), 0),
        Column("residual px", (key, "residual_px"), 2, "median"),
        Column("seconds", (key, "seconds"), 1, "median"),
    )


CAMERA_SECTIONS = {
    "Synthetic clips": _cameras_of(
        "synthetic", "mean", Column("travel % of depth", ("synthetic", "travel_percent_of_depth"), 2)
    ),
    "Real clips": _cameras_of("real", "median"),
}
"""The tables of scripts/benchmark_cameras.py."""


def _ways(title: str, digits: int, key: str) -> tuple[Column, ...]:
    """One measure of the drawing, of the finished view, and of the merged scene."""
    return tuple(Column(f"{way} {title}", (way, key), digits) for way in ("drawn", "view", "merged"))


MULTIVIEW_SECTIONS = {
    "All pixels": (*_ways("dB", 2, "psnr"), *_ways("SSIM", 3, "ssim"), *_ways("LPIPS", 3, "lpips")),
    "Where nothing was seen": (Column("% of pixels", ("invented_percent",), 1), *_ways("dB", 2, "psnr_invented")),
    "After the best gain and offset": _ways("dB", 2, "psnr_fitted"),
}
"""Tables of scripts/benchmark_multiview.py."""
