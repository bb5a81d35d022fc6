"""Training pairs made once, before training: degraded views of the clip's frames, and the frames."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from neoverse_ns.clip.wear.draw import draw_wear
from neoverse_ns.console import progress
from neoverse_ns.gaussians.layers import FAR_FIELD, INPAINTED
from neoverse_ns.generate.base import Conditions
from neoverse_ns.generate.conditions.render import ConditionSettings, draw_conditions
from neoverse_ns.generate.degradation.simulate import simulate
from neoverse_ns.generate.refiners.internal.network_inputs import NetworkInputs, PackedInputs, gather, stack
from neoverse_ns.generate.refiners.internal.other_keyframes import without_own
from neoverse_ns.generate.refiners.internal.reference_lookup import References
from neoverse_ns.generate.refiners.internal.settings import InternalSettings
from neoverse_ns.generate.refiners.internal.worn_views import WornViews
from neoverse_ns.generate.source_scene import SourceScene

MASK_ALPHA = (0.5, 1.0)
"""Range of opacity from which on a training pair's pixels are marked as to be kept.

As for views to be refined, whose true colours nobody knows: a mask that knew them could be trusted in training only.
"""


@dataclass(frozen=True)
class TrainingPairs:
    """Pairs to learn from.

    Attributes:
        inputs: Of one view each.
        targets: The true frames, as many.
        plain: How many of them, the last, are no worn views but such as the other frames' Gaussians show.
    """

    inputs: list[PackedInputs]
    targets: list[UInt8[Tensor, "3 h w"]]
    plain: int = 0

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(
        self, settings: InternalSettings, generator: torch.Generator
    ) -> tuple[NetworkInputs, Float[Tensor, "b 3 c1 c2"]]:
        """Random crops of random pairs, and what should become of them.

        Args:
            settings: Number and size of the crops, and how many are blind.
            generator: On the CPU; decides everything.
        """
        parts, targets = [], []
        height, width = self.targets[0].shape[-2:]
        sides = crop_sides(settings.crop, height, width)
        for _ in range(settings.batch):
            place = self._place(settings.plain, generator)
            top = int(torch.randint(height - sides[0] + 1, (), generator=generator))
            left = int(torch.randint(width - sides[1] + 1, (), generator=generator))
            blind, mirrored = (torch.rand(2, generator=generator) < torch.tensor([settings.blind, 0.5])).tolist()
            part = self.inputs[place].crop(top, left, *sides)
            target = self.targets[place][:, top : top + sides[0], left : left + sides[1]].to(torch.float32) / 255
            if blind:
                part = without_references(part)
            if mirrored:
                part, target = mirror(part), target.flip(-1)
            parts.append(part)
            targets.append(target)
        return stack(parts), torch.stack(targets)

    def _place(self, share: float, generator: torch.Generator) -> int:
        """A random pair, of the plain ones in `share` of the cases, where there are both kinds."""
        worn = len(self) - self.plain
        if self.plain and worn:
            first, count = (worn, self.plain) if float(torch.rand((), generator=generator)) < share else (0, worn)
        else:
            first, count = 0, len(self)
        return first + int(torch.randint(count, (), generator=generator))


def crop_sides(crop: int, height: int, width: int) -> tuple[int, int]:
    """The crops' height and width: as asked for where the frames are large enough, multiples of 8 where they can be."""
    return tuple(max(min(crop, side) // 8 * 8, min(side, 8)) for side in (height, width))  # pyright: ignore


def without_references(inputs: NetworkInputs) -> NetworkInputs:
    """The same with no other frame of the clip to look at."""
    return replace(
        inputs,
        colours=inputs.base.repeat(1, inputs.colours.shape[1] // 3, 1, 1),
        trust=torch.zeros_like(inputs.trust),
    )


def mirror(inputs: NetworkInputs) -> NetworkInputs:
    """Left and right exchanged. Rays stay those of the unmirrored pixels: they tell places apart, nothing more."""
    flipped = {name: value.flip(-1) for name, value in vars(inputs).items()}
    return NetworkInputs(**flipped)


def make_training_pairs(
    source: SourceScene, references: References, scale: float, settings: InternalSettings, seed: int
) -> TrainingPairs:
    """Wear the scene in several ways and draw the clip's frames from each, then each as the others show it, with a
    progress bar.

    Args:
        source: The clip's frames to learn from and its scene.
        references: The same frames, to look pixels up in.
        scale: Typical depth of the scene, world units.
        settings: Number of rounds and pairs, and how strongly the scene is degraded.
        seed: Of everything random; equal seeds give equal pools.
    """
    generator = torch.Generator().manual_seed(seed)
    inputs: list[PackedInputs] = []
    targets: list[UInt8[Tensor, "3 h w"]] = []
    images = source.frames.movedim(-1, 1)
    plain = list(range(len(source))) if settings.plain > 0 and len(source.keyframes) > 1 else []
    # Of a generator of their own: what is drawn of the scene does not depend on how it is worn.
    wearing = torch.Generator().manual_seed(seed + 1)
    wears = [draw_wear(settings.wear, wearing) for _ in range(settings.rounds)]
    worn = WornViews(references)

    def take(drawn: Conditions, frames: list[int], wear: int) -> None:
        kept = torch.empty(()).uniform_(*MASK_ALPHA, generator=generator)
        drawn = replace(drawn, mask=drawn.alpha >= float(kept))
        drawn, shown = worn(drawn, wears[wear])
        for place, frame in enumerate(frames):
            found = gather(drawn, place, shown, scale, without=frame)
            inputs.append(PackedInputs.of(found, drawn.K[place], drawn.c2w[place]))
            targets.append(images[frame].to(found.base.device))

    with progress("wearing the scene to learn from", settings.rounds + len(plain)) as steps:
        for done in range(settings.rounds):
            wanted = (settings.pairs - len(inputs)) // (settings.rounds - done)
            order = torch.randperm(len(source), generator=generator)[: max(wanted, 1)]
            frames = sorted(order.tolist())
            pair = simulate(source, generator, settings.degradation, frames)
            take(pair.conditions, pair.frames, done)
            steps.advance()
        for frame in plain:
            here = slice(frame, frame + 1)
            scene = without_own(source, frame).without(INPAINTED, FAR_FIELD)
            take(
                draw_conditions(scene, source.cameras[here], source.times[here], ConditionSettings()),
                [frame],
                frame * settings.rounds // len(plain),
            )
            steps.advance()
    return TrainingPairs(inputs, targets, len(plain))
