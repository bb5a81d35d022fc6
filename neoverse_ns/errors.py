"""Errors a user can cause, each saying what was wrong, where, and what to do.

The command line and the nerfstudio plugin print these as one line and exit with code 1; as a library they are ordinary
exceptions.
"""

import pickle
import struct
import zipfile

UNREADABLE = (
    OSError,
    RuntimeError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    pickle.UnpicklingError,
    struct.error,
    zipfile.BadZipFile,
)
"""What JSON, NumPy and torch have been seen to raise on files that are damaged or something else."""


class NeoVerseError(Exception):
    """Base of every error that the user can act on."""


class ClipError(NeoVerseError, ValueError):
    """The video, image folder or image cannot be used as asked."""


class SettingsError(NeoVerseError, ValueError):
    """A setting is out of range, not finite, or contradicts another one."""


class ReconstructionError(NeoVerseError, RuntimeError):
    """Cameras, depth or Gaussians could not be computed from the clip."""


class RefinementError(NeoVerseError, RuntimeError):
    """Frames could not be refined: what was drawn does not fit, or a model or library is missing."""


class RunError(NeoVerseError, RuntimeError):
    """A run folder, checkpoint or exported file is missing something or belongs to something else."""


class PackageError(NeoVerseError, ImportError):
    """A package that only this needs is not installed; the message says how to install it."""


class WeightsError(NeoVerseError, RuntimeError):
    """Weights are not there, cannot be fetched, are damaged, or belong to another network."""


class LeakError(NeoVerseError, RuntimeError):
    """A picture that is judged by would have been looked at by what is judged."""


class MemoryShortageError(NeoVerseError, RuntimeError):
    """What was asked for does not fit the device's memory; the message offers what does."""
