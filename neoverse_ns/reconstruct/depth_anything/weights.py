"""Loading Depth Anything 3: its package, its weights, where and how precisely it runs."""

from __future__ import annotations

import io
import os
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch

from neoverse_ns.console import say, warn
from neoverse_ns.errors import SettingsError
from neoverse_ns.reconstruct.depth_anything.config import DepthAnythingConfig

FILES = ("config.json", "model.safetensors")
"""What published weights consist of."""
INSTALL = "pip install 'neoverse-ns[da3]', then pip install --no-deps depth-anything-3"
"""The package asks for more than its networks need, an old NumPy and xformers with a torch of its own among it."""
LOG_LEVEL = "DA3_LOG_LEVEL"
"""Environment variable with which the package's own messages are chosen."""
LARGEST_GAP = 0.1
"""Share of the network's tensors that may be missing from a file before it is taken for another network's."""


@runtime_checkable
class Prediction(Protocol):
    """What the package's network says about n frames, as NumPy arrays; h and w are the size it worked at.

    Attributes:
        depth: z-depth [n,h,w], positive, in one unknown unit.
        conf: Confidence [n,h,w], from 1 up, or None.
        extrinsics: World to camera, OpenCV axes, [n,3,4] or [n,4,4]; None from networks without a camera head.
        intrinsics: In pixels of size h x w, [n,3,3]; the principal point of a centred lens is (w/2, h/2).
    """

    depth: Any
    conf: Any
    extrinsics: Any
    intrinsics: Any


@runtime_checkable
class ViewNetwork(Protocol):
    """The part of `depth_anything_3.api.DepthAnything3` that is used here."""

    def inference(
        self, image: list[Any], *, use_ray_pose: bool = False, process_res: int = 504
    ) -> Prediction: ...  # fmt: skip


def load_network(config: DepthAnythingConfig) -> ViewNetwork:
    """Import the package and load the weights that `config` names.

    Raises:
        SettingsError: The package or the weights are not there, or are not what they should be.
    """
    network_class = _import_network()
    from safetensors import SafetensorError

    folder = find_weights(config)
    device = choose_device(config.device)
    try:
        with _quiet():
            network = network_class.from_pretrained(str(folder), local_files_only=True)
        _check_complete(network, folder)
        network = network.eval().to(device)
    except SettingsError:
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
        raise SettingsError(
            f"da3.model: {config.model} cannot be loaded from {folder} ({_first_line(error)}): "
            "it must be a network of the Depth Anything 3 package; delete the folder to fetch it again"
        ) from error
    _set_precision(network, device, config.dtype)
    licence = "" if _free(config.model) else "; these weights are licensed CC BY-NC 4.0, not for commercial use"
    say(f"reconstructor: Depth Anything 3 ({config.model}, {device}){licence}")
    return network


def choose_device(name: str | None) -> torch.device:
    """The device called `name`; without a name CUDA where there is such a device, else the CPU.

    Raises:
        SettingsError: There is no such device here.
    """
    try:
        device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    except RuntimeError as error:
        raise SettingsError(f"da3.device: {name!r} is no device ({_first_line(error)}): use cpu or cuda") from error
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise SettingsError(
            f"da3.device: there is no {device} here ({torch.cuda.device_count()} CUDA devices): use another, or cpu"
        )
    return device


def find_weights(config: DepthAnythingConfig) -> Path:
    """Folder that holds the weights: the one named, or the hub's local copy, fetched where that is allowed.

    Raises:
        SettingsError: They are not there and cannot be fetched.
    """
    folder = Path(config.model).expanduser()
    if folder.is_dir():
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise SettingsError(f"da3.model: the folder {folder} has no {' and no '.join(missing)}")
        return folder
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", config.model) or config.model.startswith((".", "~")):
        raise SettingsError(
            f"da3.model: {config.model} is neither a folder nor an id on the hub such as depth-anything/DA3-BASE"
        )
    from huggingface_hub import hf_hub_download

    try:
        paths = [
            hf_hub_download(config.model, name, revision=config.revision, local_files_only=not config.download)
            for name in FILES
        ]
    except (OSError, ValueError, RuntimeError) as error:
        way = "could not be fetched from" if config.download else "are not in the local cache of"
        advice = "check the name and the connection" if config.download else "allow da3.download"
        raise SettingsError(
            f"da3.model: the weights {config.model} {way} the hub ({_first_line(error)}): {advice}, "
            "or give a folder that holds their config.json and model.safetensors"
        ) from error
    return Path(paths[-1]).parent


def _import_network() -> Any:
    """The package's class; its import is slow and noisy, and changes a setting of torch."""
    benchmark = torch.backends.cudnn.benchmark
    try:
        with _quiet():
            api = import_module("depth_anything_3.api")
        if LOG_LEVEL not in os.environ:
            import_module("depth_anything_3.utils.logger").logger.level = 1
    except ImportError as error:
        lacking = (error.name or "").split(".")[0]
        if lacking == "depth_anything_3":
            reason = f"needs the depth-anything-3 package: {INSTALL}"
        else:
            reason = f"needs what the depth-anything-3 package imports ({_first_line(error)}): pip install {lacking}"
        raise SettingsError(f"reconstructor da3 {reason}, or use --reconstructor bundle") from error
    finally:
        torch.backends.cudnn.benchmark = benchmark
    return api.DepthAnything3


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep what other packages print and warn of to themselves, unless the user has chosen a level of messages."""
    if LOG_LEVEL in os.environ:
        yield
        return
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def _check_complete(network: Any, folder: Path) -> None:
    """The package's loader leaves tensors that the file lacks at random values, without a word.

    A tensor that the network has under several names is saved under one of them.
    """
    from safetensors import safe_open

    state = network.state_dict()
    with safe_open(folder / FILES[1], framework="pt") as file:
        kept = set(file.keys())
    filled = {tensor.data_ptr() for name, tensor in state.items() if name in kept}
    missing = sorted(name for name, tensor in state.items() if name not in kept and tensor.data_ptr() not in filled)
    if len(missing) > LARGEST_GAP * len(state):
        raise SettingsError(
            f"da3.model: {folder} lacks {len(missing)} of the network's {len(state)} tensors "
            f"({missing[0]}, ...): config.json and model.safetensors do not belong together"
        )
    if missing:
        warn(f"the weights in {folder} lack {len(missing)} tensors of the network ({missing[0]}, ...)")


def _set_precision(network: Any, device: torch.device, dtype: str) -> None:
    """Run the backbone in `dtype`.

    The package chooses half precision by what a CUDA device can do, also where it runs on a CPU, which is slow at it.
    Its `inference` calls `forward`, and that nothing but the network inside under autocast: so does this one.
    """
    if dtype == "auto" and device.type != "cpu":
        return
    chosen = torch.float32 if dtype == "auto" else getattr(torch, dtype)

    @torch.inference_mode()
    def forward(*inputs: Any) -> Any:
        with torch.autocast(device.type, chosen, enabled=chosen != torch.float32):
            return network.model(*inputs)

    replaced: Callable[..., Any] = forward
    network.forward = replaced


def _free(model: str) -> bool:
    """Whether weights of this published name are free for any use; unknown names are the user's own business."""
    name = model.upper().split("/")
    published = name[0] == "DEPTH-ANYTHING" and len(name) == 2
    return not (published and re.search("LARGE|GIANT", name[1]) and not re.search("METRIC|MONO", name[1]))


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
