"""Settings for DeepSpeed's ZeRO stage 2: optimiser states and gradients are shared between processes."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

from neoverse_ns.errors import RefinementError, RunError
from neoverse_ns.training.control.config import ControlTrainingConfig

SETTINGS_FILE = "deepspeed_zero2.json"


def zero2_settings(config: ControlTrainingConfig, bf16: bool) -> dict[str, Any]:
    """What DeepSpeed is told; `auto` is filled in by accelerate."""
    return {
        "zero_optimization": {
            "stage": 2,
            "overlap_comm": True,
            "contiguous_gradients": True,
            "offload_optimizer": {"device": "none"},
        },
        "bf16": {"enabled": bf16},
        "gradient_clipping": config.clip_norm,
        "gradient_accumulation_steps": config.accumulate,
        "train_micro_batch_size_per_gpu": 1,
        "zero_allow_untested_optimizer": True,
    }


def deepspeed_file(config: ControlTrainingConfig, output: Path, bf16: bool) -> Path:
    """The settings file to use: the user's own, else one that is written to the output folder.

    Raises:
        RefinementError: DeepSpeed is not installed.
        RunError: The user's file is missing, or the folder cannot be written.
    """
    if importlib.util.find_spec("deepspeed") is None:
        raise RefinementError("DeepSpeed is not installed: pip install deepspeed, or leave out --deepspeed")
    if config.deepspeed_config is not None:
        if not config.deepspeed_config.is_file():
            raise RunError(f"no DeepSpeed settings at {config.deepspeed_config}: check the path")
        return config.deepspeed_config
    return write_settings(config, output, bf16)


def write_settings(config: ControlTrainingConfig, output: Path, bf16: bool) -> Path:
    """Write the settings to the output folder, for this run and for reading.

    Raises:
        RunError: The folder cannot be written.
    """
    try:
        output.mkdir(parents=True, exist_ok=True)
        path = output / SETTINGS_FILE
        path.write_text(json.dumps(zero2_settings(config, bf16), indent=2))
    except OSError as error:
        raise RunError(f"cannot write to {output} ({error.strerror or error}): choose another folder") from error
    return path
