"""Looking at a data set: samples drawn from it, what they measure, and what is wrong."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from neoverse_ns.errors import ClipError
from neoverse_ns.training.data.check.measures import Measures, Observed, measure, observe
from neoverse_ns.training.data.check.pair import LONGEST, Pair, read_pair
from neoverse_ns.training.data.check.picture import save_picture
from neoverse_ns.training.data.check.suspicions import ENOUGH, typical, what_is_wrong
from neoverse_ns.training.data.draw import SampleConfig, SampleDraw, draw_sample
from neoverse_ns.training.data.jitter import JitterConfig
from neoverse_ns.training.data.make_sample import make_sample, sample_name
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.sets.base import DataSet
from neoverse_ns.training.data.truth import TruthClip

_AS_FILMED = SampleConfig(reversal=0.0, enlargement=1.0, jitter=JitterConfig(probability=0.0, grey=0.0))


@dataclass(frozen=True)
class CheckedSample:
    """One sample.

    Attributes:
        name: Clip and frames.
        refused: Why no sample could be made of it; None where one could.
        broken: Its files cannot be read, or lack what the data set promises; others are merely not fit for training.
        known: What of "pose", "depth" and "motion" the sample has.
        static: It is said that nothing moves.
        scale: The sample's unit in the set's.
        moving: Share of pixels with known motion that move.
        measures: Of two of its frames; None where poses or depth are not known.
    """

    name: str
    refused: str | None = None
    broken: bool = False
    known: tuple[str, ...] = ()
    static: bool = False
    scale: float = math.nan
    moving: float = math.nan
    measures: Measures | None = None


@dataclass(frozen=True)
class CheckReport:
    """What a look at a data set found.

    Attributes:
        rows: How many clips there are.
        samples: Those that were drawn.
        wrong: Sentences on what is wrong: with the numbers, or else with files.
        contradicted: The pictures contradict what is said of them.
        notes: Sentences on what could not be told, or should be known.
    """

    rows: int
    samples: list[CheckedSample]
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    contradicted: bool = False

    @property
    def used(self) -> int:
        """How many samples could be made."""
        return sum(sample.refused is None for sample in self.samples)


def check_data(
    dataset: DataSet, folder: Path, samples: int = 10, seed: int = 0, pictures: Path | None = None
) -> CheckReport:
    """Draw samples of clips that chance picks, and hold what is said of them against their pictures.

    Args:
        dataset: Layout of the folder.
        folder: Of the data set.
        samples: How many.
        seed: Draws clips and frames.
        pictures: Folder that gets a picture of each sample.

    Raises:
        ClipError: The folder holds no clips.
    """
    rows = dataset.find(folder)
    generator = torch.Generator().manual_seed(seed)
    checked: list[CheckedSample] = []
    pairs: list[tuple[Pair, Observed, Measures]] = []
    remarks: dict[str, str] = {}
    for number in range(samples):
        row = rows[int(torch.randint(len(rows), (), generator=generator))]
        try:
            clip = dataset.open(folder, row)
        except ClipError as error:
            checked.append(CheckedSample(row.id, str(error), broken=True))
            continue
        try:
            sample, pair = _look_at(clip, row, generator)
            for remark in _remarks(dataset, clip):
                remarks.setdefault(remark, row.id)
        finally:
            clip.close()
        checked.append(sample)
        if pair is not None:
            pairs.append(pair)
            if pictures is not None:
                save_picture(pictures / f"sample_{number:02d}.jpg", pair[0])
    contradictions = what_is_wrong(*_columns(pairs))
    notes = [*_notes(rows, checked), *(f"{clip}: {remark}" for remark, clip in remarks.items())]
    return CheckReport(len(rows), checked, [*contradictions, *_unusable(checked)], notes, bool(contradictions))


def _unusable(checked: Sequence[CheckedSample]) -> list[str]:
    """On samples that could not be made: any that is broken is wrong, others where they are half of all."""
    refused = [sample for sample in checked if sample.refused is not None]
    first = next((sample for sample in refused if sample.broken), refused[0] if refused else None)
    if first is None or not (first.broken or 2 * len(refused) >= len(checked)):
        return []
    return [f"{len(refused)} of {len(checked)} samples could not be used; the first: {first.refused}"]


def _remarks(dataset: DataSet, clip: TruthClip) -> list[str]:
    try:
        return dataset.remarks(clip)
    except ClipError as error:
        return [str(error)]


def _look_at(
    clip: TruthClip, row: ManifestRow, generator: torch.Generator
) -> tuple[CheckedSample, tuple[Pair, Observed, Measures] | None]:
    try:
        first = clip.frame(0)
        height, width = first.rgb.shape[:2]
        smaller = min(1.0, LONGEST / max(height, width))
        size = max(1, round(height * smaller)), max(1, round(width * smaller))
    except ClipError as error:
        return CheckedSample(row.id, str(error), broken=True), None
    try:
        draw = draw_sample(clip.info, 2, *size, _AS_FILMED, generator)
    except ClipError as error:
        return CheckedSample(row.id, str(error)), None
    try:
        pair = read_pair(clip, draw.keyframes[0], draw.intermediates[0])
    except ClipError as error:
        return CheckedSample(sample_name(clip.info, draw), str(error), broken=True), None
    measured = None
    if pair is not None:
        observed = observe(pair)
        measured = pair, observed, measure(pair, observed)
    return _made(clip, draw, None if measured is None else measured[2]), measured


def _made(clip: TruthClip, draw: SampleDraw, measures: Measures | None) -> CheckedSample:
    name = sample_name(clip.info, draw)
    try:
        sample = make_sample(clip, draw)
    except ClipError as error:
        return CheckedSample(name, str(error), static=clip.info.static, measures=measures)
    known = [part for part in ("pose", "depth", "motion") if bool(getattr(sample, f"has_{part}"))]
    if missing := sorted(clip.info.has - set(known)):
        lacking = f"{clip.info.dataset} {clip.info.clip}: promises {' and '.join(missing)}, but has none in {name}"
        return CheckedSample(name, lacking, broken=True, static=clip.info.static, measures=measures)
    moves = sample.v_fwd[0].norm(dim=-1)[sample.v_fwd_valid[0]]
    moving = float((moves > 0.01).double().mean()) if len(moves) else math.nan
    return CheckedSample(name, None, False, tuple(known), clip.info.static, sample.scale.item(), moving, measures)


def _columns(
    pairs: Sequence[tuple[Pair, Observed, Measures]],
) -> tuple[list[Pair], list[Observed], list[Measures]]:
    return [p for p, _, _ in pairs], [o for _, o, _ in pairs], [m for _, _, m in pairs]


def _notes(rows: Sequence[ManifestRow], checked: Sequence[CheckedSample]) -> list[str]:
    notes = []
    for part in ("pose", "depth", "motion"):
        without = sum(part not in row.has and not (part == "motion" and row.static) for row in rows)
        if without:
            notes.append(f"{without} of {len(rows)} clips have no {part}")
    measures = [sample.measures for sample in checked if sample.measures is not None]
    if not measures:
        notes.append("without poses and depth, nothing could be held against the pictures")
    elif math.isnan(typical([m.still for m in measures])):
        notes.append("the pictures have too little texture to measure flow in them: cameras and depth were not judged")
    elif typical([m.length for m in measures]) < 2 * ENOUGH:
        notes.append("hardly anything moves in the pictures, so that wrong cameras would not show")
    dynamic = any("motion" in sample.known and not sample.static for sample in checked)
    if measures and dynamic and math.isnan(typical([m.moving for m in measures])):
        notes.append("too little moves in these samples to judge motion: ask for more with --samples")
    return notes
