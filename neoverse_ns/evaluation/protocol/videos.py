"""Protocols of videos by themselves: how well cameras were followed, VBench's dimensions, figures of our own."""

from __future__ import annotations

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.scene import BenchmarkScene
from neoverse_ns.evaluation.protocol.protocol import Cameras, Choice, Protocol
from neoverse_ns.evaluation.protocol.published import Published


def every_frame(scene: BenchmarkScene) -> Choice:
    """All frames, in order; none is a target, as nothing is asked of anybody."""
    return Choice(scene.frames, ())


def every_followed_frame(scene: BenchmarkScene) -> Choice:
    """The same of a video that was asked to follow a path.

    Raises:
        ClipError: No path lies beside it.
    """
    if any(frame.c2w is None for frame in scene.frames):
        raise ClipError(
            f"{scene.folder / scene.name}: no camera path lies beside it: put it there as {scene.name}_cameras.json "
            "(or .npz, or .txt of TUM's form), one camera per frame"
        )
    return every_frame(scene)


def _video(
    alias: str, metrics: tuple[str, ...], note: str, tables: str = "frames, then scenes", cameras: Cameras = "none"
) -> Protocol:
    return Protocol(
        alias=alias,
        kind="video",
        data="videos",
        label="videos",
        scenes=None,
        frames="all",
        rule=every_followed_frame if cameras == "requested" else every_frame,
        metrics=metrics,
        note=note,
        tables=tables,
        cameras=cameras,
    )


def _cameras(measure: str, kinds: tuple[str, ...], note: str) -> Protocol:
    own = tuple(f"{measure}-{kind}" for kind in kinds)
    counted = tuple(f"{name}-all" for name in own) if measure == "camera-redirector" else ()
    controls = tuple(f"control-{row}-{kind}" for row in ("render", "input") for kind in kinds)
    return _video(f"{measure}@1", (*own, *counted, "solved", *controls), note, cameras="requested")


_ON_CONTROLS = (
    "control-render is the same estimator on the true render of the same path through the demo scene, control-input "
    "on the input video against its known cameras, where they are beside it: below these nothing can be told apart. A "
    "path that stands still has no -trans."
)

_SIX = (
    "subject-consistency",
    "background-consistency",
    "temporal-flickering",
    "motion-smoothness",
    "aesthetic-quality",
    "imaging-quality",
)
"""VBench's, in the order of its tables."""

PROTOCOLS = (
    _cameras(
        "camera-redirector",
        ("rot", "trans"),
        "ReDirector's formulas with another estimator than its own (ViPE), so published figures stand beside, not in, "
        "the table. -rot in degrees, -trans as a share of the path's extent; -all counts videos that were not solved "
        f"with 180 and 1. {_ON_CONTROLS}",
    ),
    _cameras(
        "camera-camctrl",
        ("rot", "trans"),
        "sums over frames: -rot in radians, -trans in the unit of the path. How CameraCtrl brings both to one world "
        f"was never released: here by the first camera, and the scale that fits best. {_ON_CONTROLS}",
    ),
    _cameras(
        "camera-cami2v",
        ("rot", "trans", "mc"),
        "sums over frames, every path's longest translation 1: -rot in radians. CamI2V gives means of five runs with "
        f"known intrinsics. {_ON_CONTROLS}",
    ),
    _video(
        "vbench-6@1",
        _SIX,
        "all values in 0 to 1, tables of VBench have them times 100; temporal flickering without the filter that "
        "leaves moving videos out (it needs RAFT); networks in float32, decoding by this package's reader",
        "videos, consistency by frame",
    ),
    _video(
        "video-ours@1",
        (
            "temporal-flickering",
            "temporal-flickering-still(dis)",
            "smoothness-flow",
            "met3r-like(bundle,colour)",
            "met3r-like(bundle,dino)",
            "warp-psnr",
        ),
        "figures of our own, without weights but for DINO: each compares with itself alone. met3r-like is 1 - the mean "
        "cosine of features where neighbouring keyframes see the same by our solver's depth, not MEt3R",
    ),
)


def _row(method: str, figures: tuple[float, ...]) -> Published:
    names = ("camera-redirector-trans", "camera-redirector-rot")
    return Published(
        "",
        method,
        dict(zip(names, figures, strict=True)),
        "FlashRender and ReDirector, DAVIS: 50 clips x 10 camera types, cameras by ViPE",
        near="camera-redirector@1",
        note="another estimator, and its videos are not published",
    )


_VBENCH = (
    ("NeoVerse, 11 keyframes", (88.43, 92.27, 96.77, 98.80, 44.55, 59.75)),
    ("NeoVerse, 21 keyframes", (88.73, 92.43, 96.76, 98.71, 44.59, 60.01)),
    ("NeoVerse, 41 keyframes", (89.10, 92.65, 96.67, 98.63, 44.89, 60.37)),
    ("NeoVerse, 81 keyframes", (89.42, 92.79, 96.51, 98.67, 44.78, 61.51)),
    ("ReCamMaster", (88.21, 91.60, 96.56, 98.86, 44.29, 58.87)),
    ("TrajectoryCrafter", (83.02, 88.58, 94.71, 97.64, 44.63, 54.59)),
)

PUBLISHED = (
    _row("TrajectoryCrafter", (0.0697, 9.115)),
    _row("NeoVerse", (0.0343, 3.495)),
    _row("ReCamMaster", (0.0292, 2.347)),
    _row("Vista4D", (0.0223, 2.371)),
    _row("ReDirector", (0.0165, 1.666)),
    _row("GeoAlign", (0.0149, 1.495)),
    _row("FlashRender", (0.0122, 1.236)),
    *(
        Published(
            "",
            method,
            dict(zip(_SIX, (round(figure / 100, 6) for figure in figures), strict=True)),
            "NeoVerse, supplement: 100 web videos x 4 paths",
            near="vbench-6@1",
            note="its videos are not published; whether flickering was filtered is not said",
        )
        for method, figures in _VBENCH
    ),
)
"""Rows of others, beside ours as context."""
