"""Warnings of other packages that say nothing to whoever runs a command: about how those packages are written."""

from __future__ import annotations

import sys
import warnings

WRITTEN_FOR_OLDER_TORCH = (
    (r"`torch\.jit\.script` is deprecated", (FutureWarning, DeprecationWarning)),
    (r"`torch\.cuda\.amp\.custom_(fwd|bwd)\(args\.\.\.\)` is deprecated", (FutureWarning,)),
)
"""How the messages begin that nerfstudio, and what it imports, cause when they are imported; and their categories."""


def silence_imports() -> None:
    """Leave exactly these warnings out, unless the user has asked python for warnings (`-W`, $PYTHONWARNINGS)."""
    if sys.warnoptions:
        return
    for message, categories in WRITTEN_FOR_OLDER_TORCH:
        for category in categories:
            warnings.filterwarnings("ignore", message, category)
