"""Identities of published weights from their keys and shapes, and SHA-256 of files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from neoverse_ns.errors import WeightsError
from neoverse_ns.weights import digest
from neoverse_ns.weights.digest import check_sha256, identity, identity_name, sha256_of
from tests.fixtures.published import REDUCED, read_json


@pytest.mark.parametrize(
    ("keys", "expected", "name"),
    [
        ("reconstructor_keys", "1a1d001a35f78f3a7796a1e719ead340", "the released network"),
        ("diffusion_keys", "bf3f0d73cebc1e54d753a8fa2e7dce96", "the released video transformer"),
    ],
)
def test_the_released_networks_are_recognised(keys: str, expected: str, name: str) -> None:
    shapes = read_json(REDUCED, keys)
    assert identity(shapes) == expected
    assert identity_name(expected).startswith(name)
    # The order of the keys does not matter; any shape does.
    assert identity(dict(reversed(shapes.items()))) == expected
    first = next(iter(shapes))
    changed = identity(shapes | {first: [*shapes[first], 1]})
    assert changed != expected
    assert identity_name(changed) == "not a published one"


def test_identity_of_known_strings() -> None:
    text = "a,a:2_3,b,b:"
    assert identity({"b": (), "a": (2, 3)}) == hashlib.md5(text.encode()).hexdigest()


def test_sha256_of_small_and_big_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "w.ckpt"
    file.write_bytes(bytes(range(256)) * 20_000)
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert sha256_of(file) == expected
    assert "checking" not in capsys.readouterr().out
    monkeypatch.setattr(digest, "_SHOW_ABOVE", 1 << 20)
    assert sha256_of(file) == expected
    assert "checking the SHA-256 of w.ckpt" in capsys.readouterr().out
    check_sha256(file, expected.upper())
    with pytest.raises(WeightsError, match=f"{expected}, not {'0' * 64}"):
        check_sha256(file, "0" * 64)
    with pytest.raises(WeightsError, match="cannot read"):
        sha256_of(tmp_path / "gone")
