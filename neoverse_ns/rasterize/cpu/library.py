"""The compiled kernels as Python functions."""

from __future__ import annotations

import ctypes
import threading
from ctypes import POINTER, Structure, byref, c_bool, c_float, c_int32, c_int64, c_void_p

from torch import Tensor

from neoverse_ns.rasterize.cpu.build import KernelBuildError, kernel_library

COMPILED_FEATURES = (1, 2, 3, 4, 8)
"""Channels that the kernels are compiled for; others are padded with zeros or split into groups."""


class Frame(Structure):
    """Mirror of ``struct Frame`` in kernels.cpp."""

    _fields_ = (
        ("count", c_int32),
        ("width", c_int32),
        ("height", c_int32),
        ("colors", c_int32),
        ("depth", c_int32),
        ("features", c_int32),
        ("antialiased", c_int32),
        ("threads", c_int32),
        ("sh_degree", c_int32),
        ("sh_bands", c_int32),
        ("eps2d", c_float),
        ("near_plane", c_float),
        ("far_plane", c_float),
        ("radius_clip", c_float),
    )


# Number of buffers that each function takes behind the frame, and what it returns.
_SIGNATURES = {
    "neoverse_project": (13, c_int64),
    "neoverse_bin": (6, None),
    "neoverse_composite": (10, c_bool),
    "neoverse_slots": (5, c_int64),
    "neoverse_composite_backward": (14, c_bool),
    "neoverse_project_backward": (16, None),
}


class Kernels:
    """Calls into one loaded library. Has no state, so that any thread may use it; ctypes releases the GIL meanwhile."""

    def __init__(self, path: str) -> None:
        library = ctypes.CDLL(path)
        for name, (buffers, result) in _SIGNATURES.items():
            function = getattr(library, name)
            function.argtypes = [POINTER(Frame)] + [c_void_p] * buffers
            function.restype = result
        self._library = library
        self.project_chunk: int = library.neoverse_project_chunk()

    def call(self, name: str, frame: Frame, *buffers: Tensor | None) -> int | bool | None:
        """Run one stage. Every buffer must be contiguous, on the CPU and of the type and size kernels.cpp names."""
        pointers = [None if buffer is None else buffer.data_ptr() for buffer in buffers]
        result = getattr(self._library, name)(byref(frame), *pointers)
        if result is False:
            raise ValueError(f"{name} is not compiled for {frame.features} features")
        return result


_lock = threading.Lock()
_loaded: list[Kernels | KernelBuildError] = []


def load_kernels() -> Kernels:
    """The kernels, compiled and loaded at the first call of the process.

    Raises:
        KernelBuildError: They cannot be compiled or loaded here; later calls raise the same without trying again.
    """
    with _lock:
        if not _loaded:
            try:
                _loaded.append(Kernels(str(kernel_library())))
            except OSError as error:
                _loaded.append(KernelBuildError(f"the compiled kernels cannot be loaded: {error}"))
            except KernelBuildError as error:
                _loaded.append(error)
        if isinstance(_loaded[0], KernelBuildError):
            raise _loaded[0]
        return _loaded[0]
