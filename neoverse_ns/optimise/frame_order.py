"""Which training frame a step looks at."""

from __future__ import annotations

import torch


def frame_of_step(step: int, count: int) -> int:
    """Number of the training frame, of `count`: each once a pass, in an order drawn anew for every pass.

    Depends on nothing but its arguments, so that a run which is taken up again goes on as it would have.
    """
    generator = torch.Generator().manual_seed(step // count)
    return int(torch.randperm(count, generator=generator)[step % count])
