"""Whether a clip's lens zooms or bends: each is believed only where it explains clearly more than a plain pinhole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from neoverse_ns.reconstruct.bundle.cameras.bundle_adjustment import Adjustment, AdjustmentSettings, adjust
from neoverse_ns.reconstruct.bundle.cameras.observations import Observations
from neoverse_ns.reconstruct.bundle.cameras.state import LensUnknowns, State
from neoverse_ns.reconstruct.bundle.parallel import map_on_cores

BENT, PLAUSIBLE, EASIEST = 0.73, 0.1, 0.9
"""Share of a pinhole's cost that a bent lens must stay below: with more freedom every cost falls, and a lens that is
not there costs accuracy. Barrels of action cameras reach 0.3 to 0.76, straight lenses on a walk 0.75; but a pinhole
that explains a barrel has an unlikely focal length. So the bound rises by `PLAUSIBLE` for every unit by which the
squared distance to the prior, in its standard deviations, falls, up to `EASIEST`."""
RIVAL = 0.93
"""Share of a pinhole's cost below which a bent lens that is not believed still makes the focal length uncertain."""
ZOOMED, FAR = 0.9, 1.25
"""The same for a zoom by the ratio `FAR`; chance explains small zooms better than large ones."""
ZOOMS = 1.05
"""Least ratio of the longest to the shortest focal length that is worth telling."""
ITERATIONS = 24
"""Levenberg-Marquardt steps of a trial."""
BARREL = 0.15
"""A start for the radial coefficient: that of a wide lens of an action camera."""


@dataclass(frozen=True)
class LensChoice:
    """The lens that a clip was taken with.

    Attributes:
        kind: "pinhole", "zoom" or "radial".
        state: Solution with it.
        unknowns: What of it is solved for.
        explained: Its cost over that of a pinhole.
        rival: A bent lens that was not believed but explains clearly more, too; None if none.
    """

    kind: str
    state: State
    unknowns: LensUnknowns
    explained: float
    rival: LensChoice | None = None


def choose_lens(
    observations: Observations,
    pinhole: Adjustment,
    settings: AdjustmentSettings,
    kernel: tuple[float, float],
    asked: str = "auto",
) -> LensChoice:
    """Try a focal length per frame and a radial coefficient, from the solution and from the prior's focal length.

    From a wrong focal length the way to the right zoom leads along a valley that hardly falls; so the trials start at
    the likely one, too.

    Args:
        observations: A coarse grid will do.
        pinhole: A minimum without either on the same observations.
        settings: Of the solve.
        kernel: Widths in pixels of the robust kernel at the first and last step of a trial.
        asked: "zoom" or "radial" takes that lens for granted.
    """
    likely = torch.full_like(pinhole.state.focal, settings.prior[0])
    at_prior = replace(pinhole.state, focal=likely)
    bent = torch.tensor(BARREL, dtype=torch.float64)
    trials = [
        ("radial", LensUnknowns(radial=True), replace(at_prior, radial=bent)),
        ("radial", LensUnknowns(radial=True), pinhole.state),
        ("zoom", LensUnknowns(zoom=True), pinhole.state),
        ("zoom", LensUnknowns(zoom=True), at_prior),
    ]
    if not settings.solve_focal:
        # A zoom has no one field of view that could be given; a bent lens may have.
        trials = [("radial", LensUnknowns(radial=True), pinhole.state)]

    def attempt(trial: tuple[str, LensUnknowns, State]) -> LensChoice:
        kind, unknowns, start = trial
        with_lens = replace(settings, iterations=ITERATIONS, kernel=kernel, lens=unknowns)
        found = adjust(observations, start, with_lens)
        return LensChoice(kind, found.state, unknowns, found.cost / max(pinhole.cost, 1e-12))

    wanted = [trial for trial in trials if asked in ("auto", trial[0])]
    tried = list(map_on_cores(attempt, wanted))
    believed = [choice for choice in tried if asked != "auto" or choice.explained < _limit(choice, pinhole, settings)]
    if believed:
        return min(believed, key=lambda choice: choice.explained)
    rivals = [choice for choice in tried if choice.kind == "radial" and choice.explained < RIVAL]
    rival = min(rivals, key=lambda choice: choice.explained, default=None)
    return LensChoice("pinhole", pinhole.state, settings.lens, 1.0, rival)


def _limit(choice: LensChoice, pinhole: Adjustment, settings: AdjustmentSettings) -> float:
    """Share of a pinhole's cost below which a lens is believed."""
    if choice.kind == "radial":
        centre, spread, _ = settings.prior
        unlikely = [(math.log(state.mean_focal / centre) / spread) ** 2 for state in (pinhole.state, choice.state)]
        return min(BENT + PLAUSIBLE * (unlikely[0] - unlikely[1]), EASIEST)
    ratio = float(choice.state.focal.max() / choice.state.focal.min())
    if ratio < ZOOMS:
        return 0.0
    return 1 - (1 - ZOOMED) * min(1.0, math.log(FAR) / math.log(ratio))
