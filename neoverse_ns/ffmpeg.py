"""Lets videos be written on machines without a system-wide ffmpeg."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from neoverse_ns.user_files import fallback_root, private_folder


def provide_ffmpeg() -> None:
    """Where no `ffmpeg` is on the PATH, put the one that the imageio-ffmpeg package carries there, for this process.

    Nerfstudio and mediapy look for a program of that name; imageio-ffmpeg's is called differently, so a link with the
    expected name is made in a temporary folder of this user. Does nothing where that fails: whoever looks for the
    program then says itself what is missing.
    """
    if shutil.which("ffmpeg") is not None or importlib.util.find_spec("imageio_ffmpeg") is None:
        return
    import imageio_ffmpeg

    try:
        program = Path(imageio_ffmpeg.get_ffmpeg_exe())
        # Nothing in somebody else's folder of a shared place may be run: there this raises.
        folder = private_folder(private_folder(fallback_root()) / "bin")
        link = folder / ("ffmpeg.exe" if os.name == "nt" else "ffmpeg")
        if not (link.exists() and link.resolve() == program.resolve()):
            draft = link.with_name(f".{os.getpid()}{link.name}")
            draft.symlink_to(program)
            os.replace(draft, link)
    except (OSError, RuntimeError):
        return
    os.environ["PATH"] = os.environ.get("PATH", "") + os.pathsep + str(folder)
