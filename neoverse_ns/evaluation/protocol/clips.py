"""Protocols on our own clips: what README and docs print, and what `ns-eval` calls its numbers."""

from __future__ import annotations

from neoverse_ns.evaluation.data.clips.windows import geometry_window, held_out_window
from neoverse_ns.evaluation.protocol.clip_rules import Judged, Sampled
from neoverse_ns.evaluation.protocol.protocol import Cameras, Protocol
from neoverse_ns.evaluation.protocol.published import Published

_GEOMETRY = (
    *("solved", "ate-percent", "ate-percent-distinct", "turn", "focal-percent"),
    *("absrel", "absrel-static", "moving-iou"),
)
_HELD_OUT = ("psnr", "ssim-tm", "lpips-alex", "psnr-dynamic", "psnr-static", "keyframe-psnr")
_RIGHT = ("psnr", "ssim-tm", "psnr-dynamic")
_HELD_OUT_WINDOW = held_out_window(2.0, 3.0, 25)
_USED = {
    "m1": "frames between the sampled ones are followed but those within a sampling step of a judged one",
    "m0": "all frames between the sampled ones are followed but the judged ones themselves",
    "train": "no frames but the given ones are followed",
}


def _cameras(alias: str, frames: int, seconds: float) -> Protocol:
    rule = Sampled(geometry_window(2.0, seconds, frames))
    return Protocol(
        alias=alias,
        kind="cameras",
        data="clips",
        label="clips",
        scenes=None,
        frames=rule.label,
        rule=rule,
        cameras="none",
        metrics=_GEOMETRY,
        size="384x384",
        tables="scenes, median and worst",
        note="ours; clips without true cameras tell how many were solved alone",
    )


def _run(
    alias: str,
    judged: Judged,
    tracking: str,
    cameras: Cameras,
    metrics: tuple[str, ...],
    note: str,
    scenes: tuple[str, ...] | None = None,
) -> Protocol:
    rule = Sampled(_HELD_OUT_WINDOW, judged, tracking)
    return Protocol(
        alias=alias,
        kind="runs",
        data="clips",
        label="clips" if scenes is None else f"clips-{len(scenes)}",
        scenes=scenes,
        frames=rule.label,
        rule=rule,
        cameras=cameras,
        metrics=metrics,
        size="384x384",
        note=f"ours; {note}",
    )


_TOGETHER = "cameras of judged frames are solved together with the others, their pictures train nothing"
_STEREO = ("demo", "street_stereo")

PROTOCOLS = (
    _cameras("clips-cameras@1", 16, 3.0),
    _cameras("clips-cameras-81@1", 81, 10.0),
    *(
        _run(f"clips-held-out-{name}@1", "held-out", name, "predict-all", _HELD_OUT, f"{words}; {_TOGETHER}")
        for name, words in _USED.items()
    ),
    _run(
        "clips-same-frames@1",
        "same-frames",
        "m1",
        "predict-all",
        _HELD_OUT,
        "nothing is held out: what is measured is memory",
    ),
    _run("clips-right@1", "right", "m1", "sim3-context", _RIGHT, "a second camera that was never an input", _STEREO),
    _run(
        "clips-right-beside@1",
        "right",
        "m1",
        "beside",
        _RIGHT,
        "a second camera that was never an input; errors of the path are hidden",
        _STEREO,
    ),
)
"""Frames are sampled by the clip loader, seconds 2 to 5 (12 for 81 frames) of a clip that is long enough; of image
folders as their window says."""

PUBLISHED: tuple[Published, ...] = ()
