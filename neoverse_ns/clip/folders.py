"""What a folder holds beside the frames: said where it is left out, and what to do where there are no frames at all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from neoverse_ns.clip.companions import SortedImages, masks_beside
from neoverse_ns.clip.formats import FILM_SUFFIXES, IMAGE_SUFFIXES, UNREADABLE_SUFFIXES, is_readable_image

# Where data sets keep their pictures, the fullest resolution first, and what they call the cameras.
_PICTURE_FOLDERS = ("images", "input", "rgb", "color", "colour", "frames", "train", "image", "imgs")
_SPARSE = ("sparse", "colmap/sparse", "colmap")


def folder_notes(folder: Path, found: SortedImages) -> list[str]:
    """A sentence on each kind of file in the folder that is no frame of the clip."""
    entries = _visible(folder)
    notes = [
        f"{count} {_plural(count, f'{suffix} picture')} in the folder {_is(count)} left out; {remedy}"
        for suffix, remedy, count in _unreadable(entries)
    ]
    for kind, files in sorted(found.companions.items()):
        use = ": --masks ignore or keep uses them" if kind == "mask" else ""
        which = f"({files[0].name}{', ...' if len(files) > 1 else ''})"
        notes.append(f"{len(files)} {_plural(len(files), f'{kind} image')} {which} beside the frames left out{use}")
    if not found.companions.get("mask") and (masks := masks_beside(found.frames)):
        where = next(iter(masks.values())).parent
        notes.append(f"{len(masks)} masks in {where} are not used: --masks ignore or keep does")
    if found.copies:
        kinds = Counter(file.suffix.lower() for file in found.copies)
        listed = ", ".join(f"{count} {suffix}" for suffix, count in kinds.items())
        notes.append(f"pictures that are there twice, under several endings, are used once: {listed} left out")
    films = [entry for entry in entries if entry.suffix.lower() in FILM_SUFFIXES]
    if films:
        notes.append(f"{len(films)} {_plural(len(films), 'video')} in the folder left out: give one by itself")
    return notes


def why_no_images(folder: Path) -> str:
    """What the folder holds instead of images, and what to do."""
    entries = _visible(folder)
    inside = sorted(entry.name + ("/" if entry.is_dir() else "") for entry in entries)
    listed = f"it holds {', '.join(inside[:5])}{', ...' if len(inside) > 5 else ''}" if inside else "it is empty"
    remedies = [
        f"{count} {_plural(count, f'{suffix} picture')} {_is(count)} not read here; {remedy}"
        for suffix, remedy, count in _unreadable(entries)
    ]
    pictures = _picture_folder(folder)
    films = sorted(entry.name for entry in entries if entry.suffix.lower() in FILM_SUFFIXES)
    if pictures is not None:
        remedies.append(_about_data_set(folder, pictures))
    elif films:
        remedies.append(f"give one of the videos by itself, as {folder / films[0]}")
    return "; ".join([f"no images (png, jpg, webp, bmp, tif, ...) in this folder; {listed}", *remedies])


def _about_data_set(folder: Path, pictures: Path) -> str:
    """Which flags use a nerfstudio or COLMAP data set; nothing is assumed of the command."""
    advice = f"give the folder with the frames, {pictures} (to ns-train by --data)"
    cameras = next(
        (path for path in (folder / "transforms.json", folder / "transforms_train.json") if path.is_file()), None
    )
    if cameras is not None:
        return f"{advice}, and, to use its cameras, --priors.cameras {cameras}"
    if any((folder / name).is_dir() for name in _SPARSE):
        return f"{advice}; to use its cameras, have ns-process-data make a transforms.json for --priors.cameras"
    return advice


def _picture_folder(folder: Path) -> Path | None:
    """The folder inside this one that most likely holds the frames."""
    inside = {entry.name: entry for entry in _visible(folder) if entry.is_dir()}
    named = [inside[name] for name in _PICTURE_FOLDERS if name in inside]
    others = [entry for name, entry in sorted(inside.items()) if name not in _PICTURE_FOLDERS and "mask" not in name]
    # images_2 and its like are the same pictures, reduced.
    others.sort(key=lambda entry: re.fullmatch(r"images_\d+", entry.name) is not None)
    return next((entry for entry in named + others if _holds_images(entry)), None)


def _holds_images(folder: Path) -> bool:
    try:
        return any(entry.suffix.lower() in IMAGE_SUFFIXES for entry in folder.iterdir())
    except OSError:
        return False


def _unreadable(entries: Sequence[Path]) -> list[tuple[str, str, int]]:
    """Ending, remedy and number of pictures that cannot be read here."""
    unused = [entry for entry in entries if entry.is_file() and not is_readable_image(entry)]
    counts = Counter(entry.suffix.lower() for entry in unused)
    return [
        (suffix, UNREADABLE_SUFFIXES[suffix], counts[suffix])
        for suffix in sorted(counts)
        if suffix in UNREADABLE_SUFFIXES
    ]


def _visible(folder: Path) -> list[Path]:
    return [entry for entry in folder.iterdir() if not entry.name.startswith(".")]


def _plural(count: int, what: str) -> str:
    return what if count == 1 else what + "s"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
