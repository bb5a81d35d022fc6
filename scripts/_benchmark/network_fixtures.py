"""Errors of the network against arrays of the published code."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.networks.neoverse.architecture import NetworkArchitecture
from neoverse_ns.networks.neoverse.model import NeoVerseNetwork
from neoverse_ns.networks.neoverse.splats import KeyframeSplats, keyframe_splats

CASES = ("tiny_dynamic", "tiny_static", "vits_dynamic")
_FIELDS = {"camera_poses": "c2w", "camera_intrs": "K"}
"""Published names of what is called otherwise here."""


def fixture_errors(folder: Path, case_name: str) -> Iterator[tuple[str, float]]:
    """Largest error of each array of a case, relative to the array's largest magnitude.

    Raises:
        SettingsError: The folder does not hold the case.
    """
    filler = _filler(folder)
    try:
        case, expected = filler.load_case(case_name)
    except OSError as error:
        raise SettingsError(f"{folder} does not hold the numbers of {case_name} ({error})") from error
    with torch.device("meta"):
        network = NeoVerseNetwork(_architecture(case["config"])).eval()
    network.to_empty(device="cpu")
    images = filler.network_images(case)
    with torch.no_grad():
        filler.fill_parameters(network, case["seed"], case["overrides"])
        predictions = network(images, is_static=case["is_static"], use_motion=case["use_motion"])
        splats = keyframe_splats(predictions, images, torch.tensor([case["timestamps"]]), case["is_static"])[0]
    for key, array in expected.items():
        if key.startswith("gaussians."):
            _, number, field = key.split(".")
            part = splats[int(number)]
            value = np.asarray(getattr(part, field))
            if part.is_constant and value.ndim:
                value = value[_paired(part, expected[f"gaussians.{number}.means"])]
        elif key.startswith("rendered_"):
            continue
        else:
            value = predictions.tensors()[_FIELDS.get(key, key)].numpy().reshape(array.shape)
        yield key, float(np.abs(value - array).max() / max(np.abs(array).max(), 1e-12))


def _paired(part: KeyframeSplats, means: np.ndarray) -> np.ndarray:
    """Rows of merged Gaussians in the published order: one within rounding of a voxel's side sorts either way."""
    return torch.cdist(torch.from_numpy(means).double(), part.means.double()).argmin(1).numpy()


def _architecture(config: dict[str, Any]) -> NetworkArchitecture:
    return NetworkArchitecture(
        patch_embed=config["patch_embed"],
        embed_dim=config["embed_dim"],
        depth=config["depth"],
        heads=config["heads"],
        taps=tuple(config["idx"]),
        gs_dim=config["gs_dim"],
        features=config["features"],
        out_channels=tuple(config["outc"]),
    )


def _filler(folder: Path) -> ModuleType:
    path = folder / "fill_weights.py"
    spec = importlib.util.spec_from_file_location("fill_weights", path)
    if not path.is_file() or spec is None or spec.loader is None:
        raise SettingsError(f"{folder} does not hold the published numbers: fill_weights.py is missing")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
