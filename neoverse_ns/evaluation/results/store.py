"""Results on disk: there whole or not at all, and taken up again only where nothing that they depend on has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from neoverse_ns.batch.lock import locked
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.results.means import means_of
from neoverse_ns.evaluation.results.run_file import MethodRun, RunFile
from neoverse_ns.evaluation.results.tables import markdown
from neoverse_ns.folders import check_folder
from neoverse_ns.whole_file import write_whole

JSON_NAME, TABLE_NAME = "result.json", "result.md"
LOCK_NAME = ".evaluate.lock"


def write_results(results: RunFile, folder: Path) -> None:
    """Write both files, each taking the place of the former at once.

    Raises:
        SettingsError: They cannot be written; says where.
    """
    stored = results.to_plain()
    for run, plain_run in zip(results.methods, stored["methods"], strict=True):
        plain_run["means"] = {name: mean.to_plain() for name, mean in means_of(results, run).items()}
    put(folder, {JSON_NAME: json.dumps(stored, indent=1, allow_nan=False), TABLE_NAME: markdown(results)})


def check_place(folder: Path) -> None:
    """Let a folder of results pass that can be written to, or made.

    Raises:
        SettingsError: It cannot; says why.
    """
    try:
        if folder.exists() and not folder.is_dir():
            raise SettingsError(f"{folder}: results cannot be written: it is a file; give --output-dir a folder")
        check_folder(folder)
    except OSError as error:
        raise SettingsError(f"{folder}: results cannot be written: {error.strerror or error}") from error


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Keep other evaluations out of a folder while the block runs: each writes whole files, and the last would win.

    Raises:
        SettingsError: Another evaluation writes there, or nothing can be written.
    """
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            alone = stack.enter_context(locked(folder / LOCK_NAME))
        except OSError as error:
            raise SettingsError(f"{folder}: results cannot be written: {error.strerror or error}") from error
        if not alone:
            raise SettingsError(f"{folder}: another evaluation writes there: wait for it, or give another --output-dir")
        yield


def put(folder: Path, texts: Mapping[str, str]) -> None:
    """Write text files by their names into a folder, each taking the place of the former at once.

    Raises:
        SettingsError: They cannot be written; says where.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            write_whole(folder / name, text)
    except OSError as error:
        raise SettingsError(f"{folder}: results cannot be written: {error.strerror or error}") from error


def read_results(folder: Path) -> RunFile | None:
    """What an earlier run left in a folder; None where there is nothing.

    Raises:
        SettingsError: The file is something else, damaged, or of a version that is not understood.
    """
    path = folder / JSON_NAME
    if not path.is_file():
        return None
    try:
        return RunFile.from_plain(json.loads(path.read_text("utf8")))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise SettingsError(f"{path} is no result file of this version ({error}); give another --output-dir") from error


def take_up(results: RunFile, folder: Path, retry_failed: bool = False) -> int:
    """Put what is in a folder already into `results`, where it was measured in just the same way.

    Methods that are not among those asked for now are kept, behind them. Scenes of the same protocol that were
    measured before are not done again.

    Args:
        results: Of this run, with its methods, and no scenes yet.
        folder: Of the result file.
        retry_failed: Leave out scenes that had no answer.

    Returns:
        How many scenes, of all methods asked for, are done.

    Raises:
        SettingsError: There are results that depend on something else; says on what.
    """
    before = read_results(folder)
    if before is None:
        return 0
    different = _differences(before, results)
    for run in results.methods:
        old = _same_method(before, run.method)
        if old is not None and old.scenes:
            different += _changed(f"{run.method}: ", _depends(old), _depends(run))
    if different:
        raise SettingsError(
            f"{folder / JSON_NAME} was measured otherwise ({'; '.join(different)}): give another --output-dir, or "
            "delete that file to measure all anew"
        )
    for run in results.methods:
        old = _same_method(before, run.method)
        kept = [] if old is None else [one for one in old.scenes if not (retry_failed and one.failed)]
        run.scenes = [one for one in kept if one.scene in results.scenes]
    asked = {run.method for run in results.methods}
    done = sum(len(run.scenes) for run in results.methods)
    results.methods += [old for old in before.methods if old.method not in asked]
    return done


def _same_method(results: RunFile, method: str) -> MethodRun | None:
    return next((run for run in results.methods if run.method == method), None)


def _differences(before: RunFile, now: RunFile) -> list[str]:
    """Whatever values of any method depend on, that has another value now."""
    # Commits that leave the code as it is change no value; files of before that say nothing of the code have them.
    decides = "code" if before.package.get("code") else "commit"

    def depends(results: RunFile) -> dict[str, Any]:
        data = {f"data's {key}": value for key, value in results.data.items() if key != "folder"}
        package = {key: results.package.get(key) for key in ("version", decides)}
        parts = {f"protocol's {key}": value for key, value in results.protocol.items()}
        rest = {"alias": results.alias, "seed": results.seed, "scenes": sorted(results.scenes)}
        return rest | parts | data | package | results.settings | {f"weights of {k}": v for k, v in _weights(results)}

    return _changed("", depends(before), depends(now))


def _weights(results: RunFile) -> list[tuple[str, str]]:
    return sorted(results.weights.items())


def _depends(run: MethodRun) -> dict[str, Any]:
    return {"id": run.id} | run.settings | {f"weights of {name}": value for name, value in run.weights.items()}


def _changed(of: str, before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs, with both values, as far as they are short."""
    lines = []
    for key in [*before, *(key for key in now if key not in before)]:
        old, new = before.get(key), now.get(key)
        # What was read from JSON has lists and text for tuples and paths.
        if json.dumps(old, sort_keys=True, default=str) != json.dumps(new, sort_keys=True, default=str):
            shown = f"{old} before, {new} now"
            lines.append(f"{of}{key}: {shown if len(shown) < 100 else 'another now'}")
    return lines
