"""Loading a clip: look at the source, choose a shot, sample it evenly in time, bring it to size."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from neoverse_ns.clip.borders import Box
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import SIDE_MULTIPLE, ClipConfig
from neoverse_ns.clip.cropping import BorderSearch, cut, given_crop, needed
from neoverse_ns.clip.ignore_mask import read_ignored
from neoverse_ns.clip.image_file import IMAGE_SUFFIXES
from neoverse_ns.clip.images import ImageSource, images_in
from neoverse_ns.clip.resize import fit, target_size
from neoverse_ns.clip.sampling import sample_evenly, window_end
from neoverse_ns.clip.shots import find_shots
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.clip.video import VideoSource
from neoverse_ns.console import progress, say
from neoverse_ns.errors import ClipError

#: Seconds after `start` in which shots are looked for where no duration is asked for: long files stay quick.
SEARCH_SECONDS = 30.0


def load_clip(path: Path, config: ClipConfig, device: str = "cpu") -> Clip:
    """Decode one shot of a video, image folder or image; says what it decided and keeps that in `Clip.notes`.

    Args:
        path: Video file, folder of images, or one image.
        config: What to take from it.
        device: Where the clip will be worked on ("cpu", "cuda", ...); sets the default size and number of frames. The
            frames themselves stay in main memory.

    Raises:
        SettingsError: A setting is out of range.
        ClipError: The source cannot be used as asked.
    """
    config.validate()
    source = open_source(path, config)
    seen = _look(source, config)
    notes = list(source.notes)
    shot = _choose_shot(seen, config, notes)
    chosen = _choose_frames(shot, source, config, device, notes)
    crop = given_crop(config.crop, chosen[0].size, str(path), notes)
    search = BorderSearch(len(chosen), chosen[0].size) if config.crop == "auto" else None
    sizing: list[str] = []
    pixels = _decode(source, chosen, config, device, crop, sizing, search)
    if search is not None and (crop := search.found(notes)) is not None:
        pixels = _decode(source, chosen, config, device, crop, sizing := [], None)
    notes += sizing
    ignored = None
    if config.ignore is not None:
        names = [source.images[f.index].stem for f in chosen] if isinstance(source, ImageSource) else None
        size = pixels.shape[2], pixels.shape[1]
        ignored = read_ignored(config.ignore, [f.index for f in chosen], names, chosen[0].size, crop, size)
    for note in notes:
        say(note)
    return Clip(
        frames=torch.from_numpy(pixels),
        frame_indices=torch.tensor([frame.index for frame in chosen], dtype=torch.int64),
        seconds=torch.tensor([frame.seconds for frame in chosen], dtype=torch.float64),
        source=path,
        notes=tuple(notes),
        source_size=chosen[0].size,
        ignored=ignored,
        crop=crop,
    )


def _decode(
    source: FrameSource,
    chosen: list[SeenFrame],
    config: ClipConfig,
    device: str,
    crop: Box | None,
    notes: list[str],
    search: BorderSearch | None,
) -> UInt8[np.ndarray, "n h w 3"]:
    """The chosen frames, cropped and brought to size; `search` sees them uncropped."""
    whole = chosen[0].size
    part = whole if crop is None else (crop[2], crop[3])
    size = _choose_size(part, source.path, config, device, notes)
    pixels = np.empty((len(chosen), size[1], size[0], 3), dtype=np.uint8)
    with progress(f"decoding {len(chosen)} frames of {source.path.name}", len(chosen)) as steps:
        for place, image in enumerate(source.read(chosen, needed(size, whole, crop))):
            if search is not None:
                search.see(place, image)
            pixels[place] = fit(cut(image, whole, crop), part, size)
            steps.advance()
    return pixels


def open_source(path: Path, config: ClipConfig) -> FrameSource:
    """Tell what kind of source `path` is.

    Raises:
        ClipError: It does not exist, may not be looked at, or is a folder without images.
    """
    try:
        size = path.stat().st_size
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ClipError(f"{path}: no such file or folder") from error
    except OSError as error:
        raise ClipError(f"{path}: cannot be looked at ({error.strerror})") from error
    if path.is_dir():
        return ImageSource(path, images=images_in(path), rate=config.image_rate)
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return ImageSource(path, images=[path], rate=config.image_rate)
    if size == 0:
        raise ClipError(f"{path}: the file is empty")
    return VideoSource(path)


def _look(source: FrameSource, config: ClipConfig) -> list[SeenFrame]:
    """Thumbnails and times of all frames in which shots are looked for."""
    end = config.start + (SEARCH_SECONDS if config.duration is None else config.duration)
    length, count = source.length(), source.count()
    total = count
    if count and length and math.isfinite(end) and end < length:
        total = max(round(count * end / length), 1)
    seen: list[SeenFrame] = []
    passed = 0
    with progress(f"looking through {source.path.name}", total) as steps:
        for frame in source.look(config.start, end):
            passed += 1
            if frame is not None:
                seen.append(frame)
            steps.advance()
    if passed == 0:
        raise ClipError(f"{source.path}: no frame could be decoded; the file is damaged, truncated or empty")
    if not seen and source.reached > config.start:
        raise ClipError(
            f"{source.path}: no intact frame in seconds {config.start:g}-{end:g}; raise duration or change start"
        )
    if not seen:
        raise ClipError(
            f"{source.path}: start is at {config.start:g} s, but there are only {source.reached:.1f} s; lower start"
        )
    if config.duration is None and length is not None and length > end + 1:
        source.notes.append(
            f"shots were looked for in seconds {config.start:.1f}-{end:.1f} of {length:.1f} only; "
            "choose another part with --start or --duration"
        )
    if config.duration is not None and source.reached < end - max(0.1, 0.05 * config.duration):
        source.notes.append(f"the source ends at second {source.reached:.1f}, before the duration asked for")
    return seen


def _choose_shot(seen: list[SeenFrame], config: ClipConfig, notes: list[str]) -> list[SeenFrame]:
    """The longest shot in seconds, or the one asked for."""
    shots = find_shots(seen)

    def span(shot: range) -> tuple[float, float]:
        return seen[shot[0]].seconds, seen[shot[-1]].seconds

    if config.shot is not None and config.shot >= len(shots):
        listed = ", ".join(f"#{i} {span(s)[0]:.1f}-{span(s)[1]:.1f}" for i, s in enumerate(shots[:8]))
        raise ClipError(
            f"shot {config.shot} does not exist, there are {len(shots)} (seconds {listed}); numbers start at 0"
        )
    longest = max(range(len(shots)), key=lambda i: (span(shots[i])[1] - span(shots[i])[0], len(shots[i]), -i))
    number = longest if config.shot is None else config.shot
    if len(shots) > 1:
        first, last = span(shots[number])
        which = f"the longest (#{number}, " if config.shot is None else f"#{number} ("
        notes.append(
            f"{len(shots)} shots found, using {which}seconds {first:.1f}-{last:.1f}); choose another with --shot"
        )
    return [seen[i] for i in shots[number]]


def _choose_frames(
    shot: list[SeenFrame], source: FrameSource, config: ClipConfig, device: str, notes: list[str]
) -> list[SeenFrame]:
    """Sample the shot evenly in time."""
    wanted = config.frames_wanted(device)
    seconds = np.array([frame.seconds for frame in shot], dtype=np.float64)
    if config.duration is None:
        covered = window_end(seconds, wanted, config.frame_rate)
        if covered < len(shot):
            length = source.length()
            whole = f" of {length:.1f}" if length else ""
            notes.append(
                f"using seconds {seconds[0]:.1f}-{seconds[covered - 1]:.1f}{whole}: --duration or --num-frames for more"
            )
            shot, seconds = shot[:covered], seconds[:covered]
    if len(shot) < wanted:
        there = "the only frame there is" if len(shot) == 1 else f"all {len(shot)} frames there are"
        notes.append(f"using {there}, fewer than the {wanted} wanted")
    picked = sample_evenly(seconds, min(wanted, len(shot)))
    return [shot[i] for i in picked]


def _choose_size(
    source: tuple[int, int], path: Path, config: ClipConfig, device: str, notes: list[str]
) -> tuple[int, int]:
    """Width and height of the sampled frames."""
    if min(source) < SIDE_MULTIPLE:
        raise ClipError(f"{path}: {source[0]}x{source[1]} pixels are too few, {SIDE_MULTIPLE} a side are the least")
    size = target_size(source, config.width, device)
    if config.width is not None and config.width > source[0]:
        notes.append(f"width {config.width} limited to {size[0]}, as the source is only {source[0]} wide")
    scale = max(size[0] / source[0], size[1] / source[1])
    lost = 1 - size[0] * size[1] / (source[0] * source[1] * scale**2)
    if lost > 0.1:
        notes.append(f"{lost:.0%} of every frame is cut off at the borders to reach {size[0]}x{size[1]} pixels")
    return size
