"""Finished reconstructions kept on disk, keyed by the clip's content and every setting that matters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

from neoverse_ns import __version__
from neoverse_ns.clip.companions import masks_beside
from neoverse_ns.clip.images import images_in
from neoverse_ns.clip.place import checked_place
from neoverse_ns.console import say, warn
from neoverse_ns.errors import ClipError, RunError, SettingsError
from neoverse_ns.reconstruct.cache_limit import LIMIT_VARIABLE, cache_limit, keep_within
from neoverse_ns.reconstruct.cache_use import hold, release
from neoverse_ns.reconstruct.confidence import warn_of_doubts
from neoverse_ns.reconstruct.config import SceneConfig
from neoverse_ns.reconstruct.content_digest import content_digest
from neoverse_ns.reconstruct.registry import beyond_settings, choose_reconstructor, settled
from neoverse_ns.reconstruct.scene import Scene, build_scene
from neoverse_ns.reconstruct.store import FORMAT, is_saved_scene, load_scene, save_scene
from neoverse_ns.reconstruct.tracking_guard import tracking_note
from neoverse_ns.sizes import shown_bytes
from neoverse_ns.user_files import cache_root, fallback_root, private_folder, why_foreign_inside, why_not_mine


def _digest_of_prior(path: Path) -> str:
    try:
        return content_digest(path)
    except ClipError as error:
        raise SettingsError(
            f"{path}, given as a prior, cannot be read: check --priors.cameras and --priors.depth"
        ) from error


def _digest_of_mask(path: Path) -> str:
    try:
        return content_digest(path)
    except ClipError as error:
        raise SettingsError(f"--ignore {path}: cannot be read; give a mask's image, or a folder of masks") from error


def scene_key(path: Path, config: SceneConfig, device: str) -> str:
    """Equal for equal content and settings; anything that could change the result changes it."""
    settings = dataclasses.asdict(config)
    settings.pop("cache_dir")
    settings.pop("cache_limit")
    if config.clip.spacing is None:
        settings["clip"].pop("spacing")
    if config.clip.spacing_offset == 0:
        settings["clip"].pop("spacing_offset")
    # How the reconstructor was come by does not matter, and whatever matters of the network is in its identity.
    settings["reconstructor"] = choose_reconstructor(config).name
    settings.pop("network")
    known = [_digest_of_prior(file) for file in config.priors.files()]
    if config.clip.masks != "leave_out" and path.is_dir():
        known += [content_digest(mask) for mask in masks_beside(images_in(path)).values()]
    known += [] if config.clip.ignore is None else [_digest_of_mask(config.clip.ignore)]
    # The device only decides the defaults of size and number of frames.
    material = [content_digest(path), settings, known, beyond_settings(config), device.split(":")[0]]
    material += [__version__, FORMAT]
    return hashlib.sha256(json.dumps(material, sort_keys=True, default=str).encode()).hexdigest()[:24]


def cached_scene(path: Path, config: SceneConfig, device: str = "cpu") -> Scene:
    """The scene of a clip, from the cache where it is there and whole, else built and stored.

    A damaged entry is dropped and built again; where the cache cannot be written a folder of this user in the system's
    temporary one takes its place, where only what nobody else can have written is read, and where that fails too the
    scene is simply not stored. Two processes may build the same scene at once: the first to finish is kept. The entry
    is held, so that the scene's images stay there; where the cache has a limit those used longest ago make room.

    Raises:
        ClipError, SettingsError, ReconstructionError, WeightsError: See :func:`build_scene`.
    """
    config.validate()
    path = checked_place(path)
    key = scene_key(path, config, device)
    config = settled(config)
    roots = dict.fromkeys((cache_root(config.cache_dir), fallback_root()))
    folders = [root / "scenes" / key for root in roots]
    for folder in list(folders):
        if is_saved_scene(folder):
            if (reason := _why_distrusted(folder)) is not None:
                warn(f"the cached reconstruction {folder.name} is not used: {reason}")
                folders.remove(folder)
                continue
            if not hold(folder):
                continue
            try:
                scene = load_scene(folder)
            except RunError as error:
                warn(f"cached reconstruction dropped and done again: {error}")
                release(folder)
                shutil.rmtree(folder, ignore_errors=True)
            else:
                say(f"reconstruction taken from the cache: {folder}")
                for note in scene.clip.notes:
                    say(note)
                if (said := tracking_note(scene.geometry.report)) is not None:
                    say(said)
                warn_of_doubts(scene.geometry.report)
                return scene
    # A limit that is no size shall be known before the work.
    limits = {root: cache_limit(root, config.cache_limit) for root in roots}
    scene = _keep(build_scene(path, config, device), folders)
    if scene.folder is None:
        return scene
    if not hold(scene.folder):
        # Another program with a smaller limit was quick to remove it.
        return dataclasses.replace(scene, folder=None)
    _keep_limit(scene.folder.parents[1], limits)
    return scene


def _keep_limit(root: Path, limits: dict[Path, int | None]) -> None:
    """Let entries go where there is no room for all."""
    removed = keep_within(root, limits.get(root))
    if removed:
        say(
            f"removed {len(removed)} reconstructions that were used longest ago from the cache, "
            f"{shown_bytes(sum(entry.size for entry in removed))}; --cache-limit and ${LIMIT_VARIABLE} set its size"
        )


def _why_distrusted(folder: Path) -> str | None:
    """A sentence on what another user may have written of an entry in the fallback; None elsewhere, and where nothing.

    In the temporary folder anybody can make a folder of any name; what lies elsewhere is the user's business.
    """
    root = fallback_root()
    if root not in folder.parents:
        return None
    try:
        private_folder(root)
        reason = why_not_mine(folder.parent)
        return f"{folder.parent} {reason}" if reason is not None else why_foreign_inside(folder)
    except OSError as error:
        return f"{error.filename} {error.strerror}"


def _keep(scene: Scene, folders: list[Path]) -> Scene:
    """Store `scene` in the first folder that can be written, and say where not and why."""
    for number, folder in enumerate(folders):
        try:
            if fallback_root() in folder.parents:
                private_folder(fallback_root())
            # What others could write to would not be believed when it is read back.
            save_scene(scene, folder, private=True)
        except (OSError, RunError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            last = number + 1 == len(folders)
            instead = "this reconstruction is not kept" if last else f"using {folders[number + 1].parent} instead"
            warn(f"the cache folder {folder.parent} cannot be used ({reason}): {instead}")
        else:
            return dataclasses.replace(scene, folder=folder)
    return scene
