"""Which frames of a clip become a sample, and what is done to them: everything that is left to chance."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.jitter import JitterConfig, JitterDraw, draw_jitter
from neoverse_ns.training.data.truth import ClipInfo


@dataclass
class SampleConfig:
    """How samples are made of clips."""

    reversal: float = 0.5
    """Probability that time runs backward."""
    furthest: int | None = None
    """Largest step between frames, in frames of the clip, for every set; None leaves it to the sets."""
    enlargement: float = 1 / 0.77
    """Pictures are enlarged by up to this factor, and cropped."""
    jitter: JitterConfig = field(default_factory=JitterConfig)
    """Colours."""
    wear: WearConfig = field(default_factory=WearConfig)
    """What a camera and a codec do to the pictures that the network sees; off by default."""
    fewest_valid: float = 0.01
    """Samples in which depth should be known and is at fewer pixels than this share are left out."""
    furthest_turn: float = 45.0
    """Samples whose camera turns further than so many degrees between keyframes are left out."""

    def validate(self) -> None:
        """
        Raises:
            SettingsError: A value is out of range.
        """
        for name in ("reversal", "fewest_valid"):
            if not 0 <= getattr(self, name) <= 1:
                raise SettingsError(f"sample.{name} must lie in 0..1, got {getattr(self, name)}")
        if self.furthest is not None and self.furthest < 1:
            raise SettingsError(f"sample.furthest must be at least 1 frame, got {self.furthest}")
        if not 1 <= self.enlargement < float("inf"):
            raise SettingsError(f"sample.enlargement must be at least 1, got {self.enlargement}")
        if not 0 < self.furthest_turn <= 180:
            raise SettingsError(f"sample.furthest_turn must lie in 0..180 degrees, got {self.furthest_turn}")
        self.jitter.validate()
        self.wear.validate()


@dataclass(frozen=True)
class SampleDraw:
    """What makes one sample of a clip, without any randomness left.

    Attributes:
        keyframes: Frame numbers, ascending.
        intermediates: One in each gap, ascending.
        reversed: Time runs backward in the sample.
        height: Of the sample's pictures.
        width: Of the sample's pictures.
        enlargement: Of the pictures before the last crop, at least 1.
        jitter: Of colours.
        wear: Of the inputs.
        fewest_valid: As in the settings.
        furthest_turn: As in the settings.
    """

    keyframes: list[int]
    intermediates: list[int]
    reversed: bool
    height: int
    width: int
    enlargement: float = 1.0
    jitter: JitterDraw = field(default_factory=JitterDraw)
    wear: WearDraw = field(default_factory=WearDraw)
    fewest_valid: float = 0.01
    furthest_turn: float = 45.0


def draw_sample(
    info: ClipInfo, keyframes: int, height: int, width: int, config: SampleConfig, generator: torch.Generator
) -> SampleDraw:
    """Draw a sample: 2 keyframes - 1 frames at one step, uniform from 1 to what set and length allow, from any start.

    Keyframes are every second of them. As much of the generator is taken whatever the settings, so that changing one
    changes nothing else.

    Raises:
        ClipError: The clip has fewer frames.
        SettingsError: Fewer than two keyframes, or pictures without pixels.
    """
    if keyframes < 2 or min(height, width) < 1:
        raise SettingsError(f"a sample needs two keyframes and some pixels, got {keyframes} of {width}x{height}")
    steps = 2 * keyframes - 2
    if info.frames <= steps:
        raise ClipError(f"{info.dataset} {info.clip}: too short: {info.frames} frames, a sample needs {steps + 1}")
    most = min(info.furthest if config.furthest is None else config.furthest, (info.frames - 1) // steps)
    step_share, start_share, coin, enlarged = torch.rand(4, generator=generator, dtype=torch.float64).tolist()
    step = 1 + int(step_share * max(most, 1))
    start = int(start_share * (info.frames - steps * step))
    numbers = [start + i * step for i in range(steps + 1)]
    return SampleDraw(
        keyframes=numbers[::2],
        intermediates=numbers[1::2],
        reversed=coin < config.reversal,
        height=height,
        width=width,
        enlargement=1 + (config.enlargement - 1) * enlarged,
        jitter=draw_jitter(config.jitter, generator),
        wear=draw_wear(config.wear, generator),
        fewest_valid=config.fewest_valid,
        furthest_turn=config.furthest_turn,
    )
