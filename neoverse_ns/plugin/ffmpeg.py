"""Lets ns-render write videos on machines without a system-wide ffmpeg."""

from __future__ import annotations

import importlib.util
import os
import shutil
import tempfile
from pathlib import Path


def provide_ffmpeg() -> None:
    """Where no `ffmpeg` is on the PATH, put the one that the imageio-ffmpeg package carries there, for this process.

    Nerfstudio and mediapy look for a program of that name; imageio-ffmpeg's is called differently, so a link with the
    expected name is made in a temporary folder of this user. Does nothing where that fails: ns-render then says itself
    what is missing.
    """
    if shutil.which("ffmpeg") is not None or importlib.util.find_spec("imageio_ffmpeg") is None:
        return
    import imageio_ffmpeg

    try:
        program = Path(imageio_ffmpeg.get_ffmpeg_exe())
        folder = Path(tempfile.gettempdir()) / f"neoverse_ns-bin-{os.environ.get('USER', 'user')}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if hasattr(os, "getuid") and folder.stat().st_uid != os.getuid():
            # Somebody else's folder in a shared place: nothing in it may be run.
            return
        link = folder / ("ffmpeg.exe" if os.name == "nt" else "ffmpeg")
        if not (link.exists() and link.resolve() == program.resolve()):
            draft = link.with_name(f".{os.getpid()}{link.name}")
            draft.symlink_to(program)
            os.replace(draft, link)
    except (OSError, RuntimeError):
        return
    os.environ["PATH"] = os.environ.get("PATH", "") + os.pathsep + str(folder)
