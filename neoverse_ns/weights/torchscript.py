"""Tensors of a TorchScript archive, the form in which OpenAI published CLIP."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path

import torch

from neoverse_ns.errors import UNREADABLE, WeightsError
from neoverse_ns.weights.read import WeightsFile, read_weights


def read_weights_or_script(path: Path) -> WeightsFile:
    """As :func:`neoverse_ns.weights.read.read_weights`, and TorchScript archives, too, of which nothing is run.

    Raises:
        WeightsError: As there; or the archive is damaged.
    """
    if not is_torchscript(path):
        return read_weights(path)
    try:
        with warnings.catch_warnings():
            # Newer versions of torch advise against writing this form, which files of it do not mind.
            warnings.simplefilter("ignore")
            tensors = torch.jit.load(str(path), map_location="cpu").state_dict()
    except UNREADABLE as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
        raise WeightsError(f"{path} is a damaged TorchScript archive ({reason}): download it again") from error
    return WeightsFile(path, dict(tensors))


def is_torchscript(path: Path) -> bool:
    """Whether a file is such an archive: a zip with code in it."""
    try:
        if not zipfile.is_zipfile(path):
            return False
        with zipfile.ZipFile(path) as archive:
            return any(name.split("/")[1:2] == ["code"] for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False
