"""Giving back memory that a mapped file occupies once its content was copied elsewhere."""

from __future__ import annotations

import ctypes
import mmap
import sys

from torch import Tensor


def release_pages(tensor: Tensor) -> None:
    """Tell the system that a mapped tensor's pages are not needed now; reading it again reads the file again.

    Without this a process that converts a mapped file tensor by tensor would count the whole file beside the result.
    Only for tensors that lie in a file mapped for reading and were never written to: of ordinary memory the content
    would be lost. So the kernel's own list of mappings is asked first, and elsewhere than on Linux nothing is done.
    """
    if not sys.platform.startswith("linux") or tensor.device.type != "cpu":
        return
    size = tensor.numel() * tensor.element_size()
    start = -(-tensor.data_ptr() // mmap.PAGESIZE) * mmap.PAGESIZE
    end = (tensor.data_ptr() + size) // mmap.PAGESIZE * mmap.PAGESIZE
    # Pages at both ends may hold neighbours; they and small tensors are not worth a call.
    if end - start >= 1 << 20 and _is_file_mapping(start, end):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), ctypes.c_int(mmap.MADV_DONTNEED))


def _is_file_mapping(start: int, end: int) -> bool:
    """Whether one mapping of a file covers the addresses from `start` to `end`."""
    with open("/proc/self/maps") as lines:
        for line in lines:
            fields = line.split(maxsplit=5)
            low, high = (int(value, 16) for value in fields[0].split("-"))
            if low <= start and end <= high:
                return len(fields) == 6 and fields[5].startswith("/")
    return False
