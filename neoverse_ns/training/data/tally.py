"""Clips that could not be used: counted by reason, listed in a file, and a stop where they are too many."""

from __future__ import annotations

import json
import re
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from neoverse_ns.errors import ClipError, RunError

LISTED = "bad_clips.jsonl"
_LONGEST = 100


@dataclass(frozen=True)
class TallyConfig:
    """When too many clips are bad."""

    share: float = 0.05
    """Stop when more than this part of the clips among the last `window` tries is bad."""
    window: int = 1000
    """Tries that are looked back upon."""
    in_a_row: int = 50
    """Stop when so many tries in a row fail for one and the same reason."""


@dataclass(frozen=True)
class Try:
    """One clip that was tried for a sample.

    Attributes:
        sample: Number of the sample.
        attempt: 0 for the clip that was meant, 1, 2, ... for those in its place.
        clip: Data set and clip, as `dataset/id`.
        reason: Why it could not be used, short; None where it could.
        message: The same in full.
    """

    sample: int
    attempt: int
    clip: str
    reason: str | None = None
    message: str = ""


class Tally:
    """Takes notice of all tries of a process in their order, and stops the run where too many fail.

    A clip that comes again within the window counts once: else the same few bad clips of a small data set would stop a
    run of many epochs by chance.
    """

    def __init__(self, config: TallyConfig | None = None, folder: Path | None = None, rank: int = 0) -> None:
        """Begin with nothing.

        Args:
            config: Limits.
            folder: Where bad clips are listed; None lists none.
            rank: Of the process, which has a file of its own.
        """
        self.config = config or TallyConfig()
        self.path = None if folder is None else folder / (LISTED if rank == 0 else f"bad_clips.{rank}.jsonl")
        self.reasons: Counter[str] = Counter()
        self.tries = 0
        self.listed = 0
        self._recent: deque[tuple[str, bool]] = deque()
        self._seen: Counter[str] = Counter()
        self._bad: Counter[str] = Counter()
        self._row: tuple[str | None, int] = (None, 0)

    @property
    def failures(self) -> int:
        """Tries that failed, in all."""
        return self.reasons.total()

    def note(self, tries: Iterable[Try]) -> None:
        """Take notice of tries, in their order.

        Raises:
            RunError: Too many failed; or the list cannot be written.
        """
        every = list(tries)
        for one, following in zip_longest(every, every[1:]):
            self._count(one)
            if one.reason is not None:
                self._list(one, following.clip if following is not None and following.sample == one.sample else None)
                self._judge(one)

    def summary(self) -> str:
        """In a line: how many were bad, and why."""
        reasons = ", ".join(f"{reason.replace('#', 'N')} ({count})" for reason, count in self.reasons.most_common())
        return f"{self.failures} of {self.tries} clips could not be used" + (f": {reasons}" if reasons else "")

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, as JSON takes it."""
        return {
            "reasons": dict(self.reasons),
            "tries": self.tries,
            "listed": self.listed,
            "recent": [[clip, bad] for clip, bad in self._recent],
            "row": list(self._row),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint; what was listed after it is taken off the list, for it will come again.

        Raises:
            RunError: The list cannot be read or written.
        """
        self.reasons, self.tries = Counter(state["reasons"]), int(state["tries"])
        self.listed, self._row = int(state["listed"]), (state["row"][0], int(state["row"][1]))
        self._recent = deque((str(clip), bool(bad)) for clip, bad in state["recent"])
        self._seen = Counter(clip for clip, _ in self._recent)
        self._bad = Counter(clip for clip, bad in self._recent if bad)
        if self.path is not None and self.path.is_file():
            try:
                lines = self.path.read_bytes().splitlines(keepends=True)[: self.listed]
                self.path.write_bytes(b"".join(lines))
            except OSError as error:
                raise RunError(f"{self.path} cannot be read or written ({error.strerror or error})") from error

    def _count(self, one: Try) -> None:
        self.tries += 1
        bad = one.reason is not None
        self._recent.append((one.clip, bad))
        self._seen[one.clip] += 1
        if bad:
            self._bad[one.clip] += 1
            self.reasons[str(one.reason)] += 1
        self._row = (one.reason, self._row[1] + 1 if bad and self._row[0] == one.reason else int(bad))
        if len(self._recent) > self.config.window:
            clip, was_bad = self._recent.popleft()
            _take(self._seen, clip)
            if was_bad:
                _take(self._bad, clip)

    def _list(self, one: Try, instead: str | None) -> None:
        self.listed += 1
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf8") as file:
                file.write(json.dumps(asdict(one) | {"instead": instead}) + "\n")
        except OSError as error:
            raise RunError(f"{self.path} cannot be written ({error.strerror or error}): free space for it") from error

    def _judge(self, last: Try) -> None:
        where = f"; the last was {last.clip}: {last.message or last.reason}"
        if self._row[1] >= self.config.in_a_row:
            # A reason that leaves numbers out says less than the example.
            why = "" if "#" in str(last.reason) else f": {last.reason}"
            raise RunError(f"{self._row[1]} clips in a row could not be used{why}{where}")
        full = len(self._recent) >= self.config.window
        among = len(self._seen) if full else self.config.window
        if len(self._bad) > self.config.share * among:
            tried = f"{len(self._seen)} clips that were tried last"
            limit = f"more than {self.config.share:.1%} of {among}"
            raise RunError(f"{len(self._bad)} of the {tried} could not be used, {limit}: {self.summary()}{where}")


def reason_of(error: BaseException) -> str:
    """Why, without what differs from clip to clip: names and paths in front, numbers, and what stands in brackets."""
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    text, found = " ".join(said.split()), 1
    while found:
        text, found = re.subn(r"\([^()]*\)", "", text)
    parts = text.split(": ")
    while len(parts) > 1 and re.search(r"[/\\\d]|\.\w{2,5}\b", parts[0]):
        del parts[0]
    text = re.sub(r"\d+(?:\.\d+)?", "#", re.sub(r"(?<!\w)\S*[/\\]\S*", "", ": ".join(parts)))
    text = " ".join(text.split()).strip(" :;,.")[:_LONGEST].strip()
    if isinstance(error, ClipError):
        return text or "unknown"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _take(counts: Counter[str], name: str) -> None:
    counts[name] -= 1
    if counts[name] <= 0:
        del counts[name]
