"""Folders of one user alone, and what is told of those that are not."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from neoverse_ns import user_files
from neoverse_ns.user_files import (
    cache_root,
    fallback_root,
    private_folder,
    why_foreign,
    why_foreign_inside,
    why_not_mine,
)
from tests.owners import give_away

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has neither such users nor such rights")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_is_made_for_one_user_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = private_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    assert folder == tmp_path / "a" / "b"
    assert mode(folder) == 0o700
    assert private_folder(folder) == folder
    # Others may look, if the user lets them.
    folder.chmod(0o755)
    private_folder(folder)
    assert mode(folder) == 0o755
    for open_to in (0o775, 0o757, 0o777):
        folder.chmod(open_to)
        private_folder(folder)
        assert mode(folder) == 0o700


def test_what_is_no_folder_of_the_users_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        private_folder(tmp_path / "file" / "below")
    (tmp_path / "mine").mkdir()
    for name, target in (("link", "mine"), ("dangling", "nowhere")):
        (tmp_path / name).symlink_to(tmp_path / target)
        with pytest.raises(PermissionError) as raised:
            private_folder(tmp_path / name)
        assert raised.value.strerror == "is a symbolic link"
        assert raised.value.filename == str(tmp_path / name)
    assert not (tmp_path / "nowhere").exists()
    give_away(tmp_path / "mine", monkeypatch)
    with pytest.raises(PermissionError) as raised:
        private_folder(tmp_path / "mine")
    assert raised.value.strerror == "belongs to another user"


def test_files_are_judged_by_owner_rights_and_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "folder" / "deep" / "file"
    file.parent.mkdir(parents=True)
    (tmp_path / "folder").chmod(0o700)
    file.write_text("")
    for rights, reason in ((0o600, None), (0o644, None), (0o664, "written by other"), (0o602, "written by other")):
        file.chmod(rights)
        said = why_foreign(file)
        assert (said is None) == (reason is None)
        assert reason is None or reason in (said or "")
        # In a closed folder nobody else reaches it, whatever its own rights.
        assert why_not_mine(file) is None
        assert why_foreign_inside(tmp_path / "folder") is None
    with monkeypatch.context() as patch:
        give_away(file, patch)
        assert why_foreign(file) == "belongs to another user"
        assert why_foreign_inside(tmp_path / "folder") == f"{file} belongs to another user"
    (file.parent / "link").symlink_to(file)
    assert why_foreign(file.parent / "link") == "is a symbolic link"
    assert why_foreign_inside(tmp_path / "folder") == f"{file.parent / 'link'} is a symbolic link"
    (tmp_path / "folder").chmod(0o777)
    assert why_foreign_inside(tmp_path / "folder") == f"{tmp_path / 'folder'} can be written by other users"
    with pytest.raises(FileNotFoundError):
        why_foreign(tmp_path / "nothing")


def test_the_file_system_is_asked_for_the_real_owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o600)
    assert why_foreign(tmp_path / "file") is None
    # To another user the same file is a stranger's.
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert why_foreign(tmp_path / "file") == "belongs to another user"


def test_systems_without_numbers_of_users_trust_their_own_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "geteuid")
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert private_folder(tmp_path / "open") == tmp_path / "open"
    assert why_foreign_inside(tmp_path / "open") is None
    assert fallback_root().name == "neoverse_ns"


def test_a_user_without_a_home_gets_a_folder_of_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NEOVERSE_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(user_files.Path, "home", homeless)
    assert cache_root() == fallback_root() == tmp_path / f"neoverse_ns-{os.geteuid()}"
