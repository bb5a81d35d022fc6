"""Draw a strip from a finished run: input, held-out drawing, error, depth, and cameras a little to each side.

    python scripts/show_views.py outputs/dog/neoverse/run/config.yml dog.png
    python scripts/show_views.py outputs/dog strip.png --rows 1

A row is a held-out frame (a training frame where none is held out). Error is the mean absolute difference of the
colours, black for none and white from a quarter of the range on; depth is bright where it is near and black where
nothing was drawn. Nothing hides what the outer two cameras see: holes stay black.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import tyro
from jaxtyping import Float, UInt8
from make_pictures import beside, spread, tile
from torch import Tensor

from neoverse_ns.console import progress, say, warn
from neoverse_ns.errors import NeoVerseError, RunError
from neoverse_ns.plugin.run import OpenRun, open_run, to_bytes
from neoverse_ns.rasterize.drawing import Drawing

TITLES = ("input", "drawn", "error", "depth", "camera to the left", "camera to the right")
HEADER = 20
"""Height of the line of titles, pixels."""
FULL_ERROR = 0.25
"""Mean absolute difference of the colours, of 1, that is drawn white."""


@dataclass
class ShowViews:
    """One strip of one run."""

    run: tyro.conf.Positional[Path]
    """A run's config.yml, or a folder, whose newest run is taken."""
    picture: tyro.conf.Positional[Path]
    """Where to write the strip."""
    rows: int = 2
    """Frames, spread over the clip."""
    aside: float = 0.05
    """How far the outer cameras stand beside the frame's own, in units of the median depth it sees."""


def find_config(run: Path) -> Path:
    """The run's config.yml.

    Raises:
        RunError: There is none at or below `run`.
    """
    if run.is_file():
        return run
    found = sorted(run.rglob("config.yml"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise RunError(f"no config.yml at or below {run}; give what ns-train wrote")
    return found[-1]


def strip(run: OpenRun, rows: int, aside: float) -> UInt8[Tensor, "sh sw 3"]:
    """The strip with its titles; `aside` is in units of the median depth."""
    frames = spread(run.split.held_out or run.split.train, rows)
    pictures = []
    with progress("drawing views", len(frames)) as steps:
        for frame in frames:
            pictures.append(_row(run, frame, aside))
            steps.advance()
    page = tile(pictures)
    width = run.clip.width
    header = np.full((HEADER, page.shape[1], 3), 255, dtype=np.uint8)
    step = (page.shape[1] - width) // (len(TITLES) - 1)
    for place, title in enumerate(TITLES):
        size = min(0.45, 0.0028 * width)
        cv2.putText(header, title, (place * step + 2, HEADER - 6), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, 16)
    return torch.cat([torch.from_numpy(header), page])


def _row(run: OpenRun, frame: int, aside: float) -> list[UInt8[Tensor, "h w 3"]]:
    camera, moment = run.cameras[[frame]], run.clip.times[[frame]]
    (seen,) = run.drawings(camera, moment)
    distance = aside * median_depth(seen)
    sides = beside(run.cameras[[frame, frame]], torch.tensor([-1.0, 1.0]), distance, turn_degrees=0.0)
    truth, drawn = run.clip.frames[frame], to_bytes(seen.rgb[0])
    views = [to_bytes(drawing.rgb[0]) for drawing in run.drawings(sides, moment.expand(2))]
    return [truth, drawn, error_map(drawn, truth), depth_map(seen), *views]


def median_depth(drawing: Drawing) -> float:
    """Of the pixels that are mostly covered; 1 where there are none."""
    depth = drawing.depth[0][drawing.alpha[0] > 0.5]
    return float(depth.median()) if len(depth) else 1.0


def error_map(drawn: UInt8[Tensor, "h w 3"], truth: UInt8[Tensor, "h w 3"]) -> UInt8[Tensor, "h w 3"]:
    """Mean absolute difference of the colours, black to white."""
    error = (drawn.float() - truth.float()).abs().mean(dim=-1) / 255
    return _coloured(error / FULL_ERROR, cv2.COLORMAP_HOT)


def depth_map(drawing: Drawing) -> UInt8[Tensor, "h w 3"]:
    """Inverse depth between its 2nd and 98th percentile; black where less than half is covered."""
    covered = drawing.alpha[0, ..., 0] > 0.5
    inverse = 1 / drawing.depth[0, ..., 0].clamp_min(1e-6)
    if not bool(covered.any()):
        return torch.zeros(*covered.shape, 3, dtype=torch.uint8)
    far, near = torch.quantile(inverse[covered], torch.tensor([0.02, 0.98]))
    picture = _coloured((inverse - far) / (near - far).clamp_min(1e-9), cv2.COLORMAP_VIRIDIS)
    return torch.where(covered[..., None], picture, torch.zeros_like(picture))


def _coloured(values: Float[Tensor, "h w"], palette: int) -> UInt8[Tensor, "h w 3"]:
    """Values of 0 to 1 in one of OpenCV's palettes, as RGB."""
    levels = (values.clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    return torch.from_numpy(cv2.applyColorMap(levels, palette)[:, :, ::-1].copy())


def main() -> int:
    options = tyro.cli(ShowViews, description=__doc__)
    try:
        if not cv2.haveImageWriter(str(options.picture)):
            raise RunError(f"{options.picture}: no picture format of that suffix; give one such as .png or .jpg")
        picture = strip(open_run(find_config(options.run)), options.rows, options.aside)
        options.picture.parent.mkdir(parents=True, exist_ok=True)
        if not cv2.imwrite(str(options.picture), picture.numpy()[:, :, ::-1]):
            raise RunError(f"{options.picture} cannot be written")
        say(f"wrote {options.picture}")
    except (NeoVerseError, OSError) as error:
        warn(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
