"""Loading a clip: look at the source, choose a shot, sample it evenly in time, bring it to size."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from neoverse_ns.clip.between import frames_between
from neoverse_ns.clip.borders import Box
from neoverse_ns.clip.clip import Clip
from neoverse_ns.clip.config import SIDE_MULTIPLE, ClipConfig
from neoverse_ns.clip.cropping import BorderSearch, given_crop
from neoverse_ns.clip.decode import Decoded, decode
from neoverse_ns.clip.fit_frames import unfit_frames
from neoverse_ns.clip.ignore_mask import read_ignored
from neoverse_ns.clip.images import ImageSource
from neoverse_ns.clip.open_source import open_source
from neoverse_ns.clip.place import checked_place
from neoverse_ns.clip.resize import target_size
from neoverse_ns.clip.sampling import sample_evenly, spaced, spaced_start, window_end
from neoverse_ns.clip.shots import find_shots
from neoverse_ns.clip.source import FrameSource, SeenFrame
from neoverse_ns.clip.useful_frames import UsefulFrames, useful_frames
from neoverse_ns.clip.view.decide import with_view
from neoverse_ns.console import progress, say
from neoverse_ns.errors import ClipError

#: Seconds after `start` in which shots are looked for where no duration is asked for: long files stay quick.
SEARCH_SECONDS = 30.0


def load_clip(path: Path, config: ClipConfig, device: str = "cpu", tracking: bool = False) -> Clip:
    """Decode one shot of a video, image folder or image; says what it decided and keeps that in `Clip.notes`.

    Args:
        path: Video file, folder of images, or one image.
        config: What to take from it.
        device: Where the clip will be worked on ("cpu", "cuda", ...); sets the default size and number of frames. The
            frames themselves stay in main memory.
        tracking: Whether frames between the sampled ones are read, too (`Clip.tracking`). Photos have none, nor do
            folders of images of which most are sampled. The sampled frames are the same either way.

    Raises:
        SettingsError: A setting is out of range.
        ClipError: The source cannot be used as asked.
    """
    config.validate()
    path = checked_place(path)
    whole = open_source(path, config)
    source = with_view(whole, config.view, config.start, _search_end(whole, config))
    seen = _look(source, config)
    notes = list(source.notes)
    shot = useful_frames(_choose_shot(seen, config, notes), notes)
    chosen = _choose_frames(shot, source, config, device, notes)
    images = whole.images if isinstance(whole, ImageSource) else None

    def between(size: tuple[int, int], sizing: list[str]) -> list[SeenFrame]:
        if not tracking or source.taken_whole():
            return []
        return frames_between(shot, chosen, size, sizing, fewest=1 if images is None else len(chosen) + 1)

    decoded, crop = _decode(source, chosen, between, config, device, notes)
    if (focal := source.focal(chosen, notes)) is not None:
        notes.append(f"the focal length is known from {focal.origin}, within {focal.uncertainty:.1%}")
    left_out = None if decoded.ignored is None else torch.from_numpy(decoded.ignored)
    height, width = decoded.pixels.shape[1:3]
    if config.ignore is not None:
        names = None if images is None else [images[f.index].stem for f in chosen]
        given = read_ignored(config.ignore, [f.index for f in chosen], names, chosen[0].size, crop, (width, height))
        left_out = given if left_out is None else left_out | given
    for note in notes:
        say(note)
    clip = Clip(
        frames=torch.from_numpy(decoded.pixels),
        frame_indices=torch.tensor([frame.index for frame in chosen], dtype=torch.int64),
        seconds=torch.tensor([frame.seconds for frame in chosen], dtype=torch.float64),
        source=path,
        notes=tuple(notes),
        source_size=chosen[0].size,
        ignored=left_out,
        crop=crop,
        tracking=decoded.tracking,
    )
    return clip if focal is None else replace(clip, focal_hint=focal.in_frames(clip.source_scale, clip.width))


def _decode(
    source: FrameSource,
    chosen: list[SeenFrame],
    between: Callable[[tuple[int, int], list[str]], list[SeenFrame]],
    config: ClipConfig,
    device: str,
    notes: list[str],
) -> tuple[Decoded, Box | None]:
    """The chosen frames and those between them, without bars, and what of the picture that is; None is all of it.

    Args:
        source: Where they come from.
        chosen: The frames to sample.
        between: What lies between them, for frames of a size; says what it leaves out.
        config: What to take.
        device: Where the clip will be worked on.
        notes: What has to be said is added.
    """
    whole = chosen[0].size
    crop = given_crop(config.crop, whole, str(source.path), notes)
    search = BorderSearch(len(chosen), whole) if config.crop == "auto" else None

    def decoded(box: Box | None, search: BorderSearch | None) -> tuple[Decoded, list[str]]:
        said: list[str] = []
        size = _choose_size(whole if box is None else box[2:], source.path, config, device, said)
        return decode(source, chosen, between(size, said), size, box, search, said), said

    result, sizing = decoded(crop, search)
    if search is not None and (crop := search.found(notes)) is not None:
        del result  # Both would not always fit into memory.
        result, sizing = decoded(crop, None)
    notes += sizing
    return result, crop


def _search_end(source: FrameSource, config: ClipConfig) -> float:
    searched = math.inf if source.taken_whole() else SEARCH_SECONDS
    return config.start + (searched if config.duration is None else config.duration)


def _look(source: FrameSource, config: ClipConfig) -> list[SeenFrame]:
    """Thumbnails and times of all frames in which shots are looked for."""
    length, count = source.length(), source.count()
    end = _search_end(source, config)
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
    """The longest shot in seconds, not counting frames that show nothing, or the one asked for."""
    shots = find_shots(seen)
    fit = ~unfit_frames(seen)

    def span(shot: range) -> tuple[float, float]:
        return seen[shot[0]].seconds, seen[shot[-1]].seconds

    def worth(number: int) -> tuple[float, int, int]:
        shown = [i for i in shots[number] if fit[i]]
        return (seen[shown[-1]].seconds - seen[shown[0]].seconds, len(shown), -number) if shown else (-1.0, 0, -number)

    if config.shot is not None and config.shot >= len(shots):
        listed = ", ".join(f"#{i} {span(s)[0]:.1f}-{span(s)[1]:.1f}" for i, s in enumerate(shots[:8]))
        raise ClipError(
            f"shot {config.shot} does not exist, there are {len(shots)} (seconds {listed}); numbers start at 0"
        )
    number = max(range(len(shots)), key=worth) if config.shot is None else config.shot
    if len(shots) > 1:
        first, last = span(shots[number])
        which = f"the longest (#{number}, " if config.shot is None else f"#{number} ("
        dissolved = len(seen) - sum(map(len, shots))
        between = f" ({dissolved} frames in dissolves belong to none)" if dissolved else ""
        notes.append(
            f"{len(shots)} shots found{between}, using {which}seconds {first:.1f}-{last:.1f}); "
            "choose another with --shot"
        )
    return [seen[i] for i in shots[number]]


def _choose_frames(
    shot: UsefulFrames, source: FrameSource, config: ClipConfig, device: str, notes: list[str]
) -> list[SeenFrame]:
    """Sample the useful frames of a shot evenly in time, frozen stretches not counted."""
    wanted = config.frames_wanted(device)
    frames, live = shot.frames, shot.live
    if config.spacing is not None and not source.taken_whole() and len(frames) >= wanted:
        step = spaced(len(frames), wanted, config.spacing)
        begin = spaced_start(len(frames), wanted, step, config.spacing_offset)
        picked = frames[begin : begin + (wanted - 1) * step + 1 : step]
        notes.append(f"using one frame in {step}, seconds {picked[0].seconds:.1f}-{picked[-1].seconds:.1f}")
        return picked
    if config.duration is None and not source.taken_whole():
        covered = window_end(live, wanted, config.frame_rate)
        if covered < len(frames):
            length = source.length()
            whole = f" of {length:.1f}" if length else ""
            notes.append(
                f"using seconds {frames[0].seconds:.1f}-{frames[covered - 1].seconds:.1f}{whole}: "
                "--duration or --num-frames for more"
            )
            frames, live = frames[:covered], live[:covered]
    if len(frames) < wanted:
        there = "the only frame there is" if len(frames) == 1 else f"all {len(frames)} frames there are"
        notes.append(f"using {there}, fewer than the {wanted} wanted")
    picked = sample_evenly(live, min(wanted, len(frames)))
    return [frames[i] for i in picked]


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
