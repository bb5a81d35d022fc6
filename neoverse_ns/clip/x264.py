"""What x264 is told so that the same frames always give the same file."""

from __future__ import annotations

import torch

_UP_TO_AVX2 = "asm=SSE2,SSSE3,SSE4,SSE4.2,AVX,FMA3,BMI1,BMI2,AVX2"


def steady_params() -> str | None:
    """Value of `x264-params`, or None where nothing needs to be said.

    With its AVX-512 code, x264 spreads its bits otherwise now and then: on a busy machine 6 of 400 encodings of the
    same nine frames differed, on one thread, too. With what comes before AVX-512 all 400 were what most had been.
    Every processor with AVX-512 has that; on others x264 keeps choosing by itself.
    """
    return _UP_TO_AVX2 if torch.backends.cpu.get_cpu_capability() == "AVX512" else None
