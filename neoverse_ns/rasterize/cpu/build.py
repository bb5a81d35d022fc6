"""Compiles the C++ kernels with the system's compiler, once per source, compiler and CPU, into a per-user cache."""

from __future__ import annotations

import atexit
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from neoverse_ns.console import say, warn
from neoverse_ns.user_files import cache_root, private_folder, why_foreign

SOURCE = Path(__file__).with_name("kernels.cpp")
BASE_FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-Wno-psabi")
# In order of preference: the CPU's own instructions matter most (5x), then OpenMP over std::thread (up to 1.4x).
FLAG_SETS = (
    ("-march=native", "-fopenmp"),
    ("-march=native", "-pthread", "-DNEOVERSE_STD_THREADS"),
    ("-mcpu=native", "-pthread", "-DNEOVERSE_STD_THREADS"),
    ("-pthread", "-DNEOVERSE_STD_THREADS"),
    (),
)
COMPILE_TIMEOUT = 300.0


class KernelBuildError(RuntimeError):
    """The kernels cannot be compiled on this machine; the message says what was tried."""


def kernel_library() -> Path:
    """Path of the compiled kernels, compiled now where the cache has none that is intact.

    Two processes may do this at once: each compiles under a name of its own and renames the result into place.

    Raises:
        KernelBuildError: There is no compiler, or none of the flag sets compiles.
    """
    compiler, version = find_compiler()
    key = hashlib.sha256(
        b"\0".join([SOURCE.read_bytes(), version.encode(), repr((BASE_FLAGS, FLAG_SETS)).encode(), cpu_name().encode()])
    ).hexdigest()[:20]
    library = cache_folder() / f"kernels-{key}.so"
    for file in (library, _digest_file(library)):
        if os.path.lexists(file) and (reason := why_foreign(file)) is not None:
            warn(f"{file} {reason}: not used, but compiled again")
            break
    if not is_intact(library):
        say("compiling the CPU rasteriser (a few seconds, once)")
        _compile_into(library, compiler)
    return library


def find_compiler() -> tuple[list[str], str]:
    """The compiler's command and its version text: the CXX variable, else c++, g++ or clang++.

    Raises:
        KernelBuildError: None of them runs.
    """
    candidates = [shlex.split(os.environ.get("CXX", "")), ["c++"], ["g++"], ["clang++"]]
    for command in candidates:
        if not command or shutil.which(command[0]) is None:
            continue
        answer = _run([*command, "--version"])
        if answer.returncode == 0:
            return command, answer.stdout
    raise KernelBuildError("no C++ compiler found (tried CXX, c++, g++ and clang++)")


def cpu_name() -> str:
    """Model and instruction sets of this CPU, since code for one may not run on another that shares the cache."""
    lines = {platform.machine(), platform.processor()}
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        wanted = ("model name", "flags", "Features", "CPU part")
        lines.update(line for line in cpuinfo.read_text(errors="replace").splitlines() if line.startswith(wanted))
    return "\n".join(sorted(lines))


def cache_folder() -> Path:
    """A folder that this user alone can write: `kernels` in the cache, or one that lives as long as the process."""
    folder = cache_root() / "kernels"
    try:
        private_folder(folder)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        warn(f"cannot use {folder} ({error.strerror}): compiling anew each time; set NEOVERSE_CACHE_DIR to keep it")
    temporary = tempfile.mkdtemp(prefix="neoverse_ns_")
    atexit.register(shutil.rmtree, temporary, ignore_errors=True)
    return Path(temporary)


def is_intact(library: Path) -> bool:
    """Whether the library is there, is what was compiled, and can have been put there by this user alone.

    Loading a cut-off one would crash the process, and loading another user's would run what they please.
    """
    try:
        if any(why_foreign(file) is not None for file in (library, _digest_file(library))):
            return False
        return _digest_file(library).read_text() == hashlib.sha256(library.read_bytes()).hexdigest()
    except (OSError, UnicodeDecodeError):
        return False


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=COMPILE_TIMEOUT, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise KernelBuildError(f"{shlex.join(command)} does not run: {error}") from error


def _digest_file(library: Path) -> Path:
    return library.with_suffix(".sha256")


def _compile_into(library: Path, compiler: list[str]) -> None:
    with tempfile.TemporaryDirectory(dir=library.parent, prefix="build-") as scratch:
        built = Path(scratch) / library.name
        report = ""
        for flags in FLAG_SETS:
            command = [*compiler, *BASE_FLAGS, *flags, str(SOURCE), "-o", str(built)]
            answer = _run(command)
            if answer.returncode == 0:
                break
            report = f"{shlex.join(command)}\n{answer.stderr.strip()}"
        else:
            raise KernelBuildError(f"the compiler rejects the kernels: {report}")
        digest = Path(scratch) / "digest"
        digest.write_text(hashlib.sha256(built.read_bytes()).hexdigest())
        # Whatever the umask says: files that others may write are not loaded.
        built.chmod(0o700)
        digest.chmod(0o600)
        os.replace(built, library)
        os.replace(digest, _digest_file(library))
