"""Clips in tar files: what is packed is found and opened again, and only what is asked for is read."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from neoverse_ns.errors import ClipError, SettingsError
from neoverse_ns.training.data.loader import training_batches
from neoverse_ns.training.data.make_sample import SampleConfig
from neoverse_ns.training.data.manifest import Manifest
from neoverse_ns.training.data.plan import PlanConfig
from neoverse_ns.training.data.row import ManifestRow
from neoverse_ns.training.data.shards import members_of, open_member
from neoverse_ns.training.data.shards_clip import ShardedClip
from neoverse_ns.training.data.shards_find import find_shards
from neoverse_ns.training.data.shards_write import write_shards
from neoverse_ns.training.data.sources import open_clip, open_source
from tests.training.data.toy_set import FRAMES, ToyFolder, ToyFolderClip, write_toy_folders, write_toys

pytestmark = pytest.mark.usefixtures("toys")


def write_video(path: Path, frames: int = 12) -> None:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=12)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            picture = np.full((48, 64, 3), 20 * number, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def test_folders_come_back_as_they_were(tmp_path: Path) -> None:
    rows = write_toy_folders(tmp_path / "clips", 5)
    # Two clips of about 90 kB each fill one.
    assert write_shards(iter(rows), tmp_path / "clips", tmp_path / "out", largest=200_000) == 5
    listed = json.loads((tmp_path / "out" / "shards.json").read_text())
    assert [entry["nsamples"] for entry in listed["shardlist"]] == [2, 2, 1]
    assert all((tmp_path / "out" / entry["url"]).stat().st_size == entry["filesize"] for entry in listed["shardlist"])
    packed = Manifest(tmp_path / "out" / "clips.jsonl")
    assert [replace(row, source={}) for row in packed] == [replace(row, source={}) for row in rows]
    assert all(row.source["camera"] == 2 for row in packed)
    for row, plain in zip(packed, rows, strict=True):
        clip, other = open_clip(tmp_path / "out", row), open_clip(tmp_path / "clips", plain)
        assert clip.info == other.info
        for index in (7, 0, 3):
            one, two = clip.frame(index), other.frame(index)
            assert torch.equal(one.rgb, two.rgb)
            assert one.depth is not None
            assert two.depth is not None
            assert torch.equal(one.depth, two.depth)
        clip.close()
    assert find_shards(tmp_path / "out")[1] == list(packed)
    assert find_shards(tmp_path / "out" / "clips-000001.tar")[1] == list(packed)[2:4]


def test_only_frames_that_are_asked_for_come_out_of_it(tmp_path: Path) -> None:
    write_shards(write_toy_folders(tmp_path / "clips", 2), tmp_path / "clips", tmp_path / "out")
    row = Manifest(tmp_path / "out" / "clips.jsonl")[1]
    clip = open_clip(tmp_path / "out", row)
    folder = ToyFolderClip.opened[-1]
    assert isinstance(clip, ShardedClip)
    there = lambda: [path.stat().st_size > 0 for path in sorted((folder / "rgb").iterdir())]  # noqa: E731
    # Openers count files and look at the first.
    assert there() == [True] + [False] * (FRAMES - 1)
    clip.frame(5)
    assert [place for place, there in enumerate(there()) if there] == [0, 5]
    clip.displacement(2, 3)
    assert [place for place, there in enumerate(there()) if there] == [0, 1, 2, 3, 4, 5]
    clip.close()
    assert not folder.exists()


@pytest.mark.parametrize("shift", [1, 3])
def test_frames_numbered_otherwise_are_found_too(tmp_path: Path, shift: int) -> None:
    rows = write_toy_folders(tmp_path / "clips", 1, shift)
    write_shards(rows, tmp_path / "clips", tmp_path / "out")
    clip = open_clip(tmp_path / "out", Manifest(tmp_path / "out" / "clips.jsonl")[0])
    last = FRAMES - shift - 1
    assert torch.equal(clip.frame(last).rgb, ToyFolder().open(tmp_path / "clips", rows[0]).frame(last).rgb)
    with pytest.raises(ClipError, match="frame 30 cannot be read"):
        clip.frame(30)
    clip.close()


def test_files_come_back_as_they_were_and_are_trained_on(tmp_path: Path) -> None:
    rows = write_toys(tmp_path / "clips", 7, {2})
    write_shards(rows, tmp_path / "clips", tmp_path / "out")
    plan, config = PlanConfig((2, 2), 2, 42, (1.5, 1.5)), SampleConfig()
    for path in ("out/clips.jsonl", "out", "out/shards.json", "out/clips-000000.tar"):
        sharded = training_batches([open_source(tmp_path / path)], plan, config, 3)
        plain = training_batches([open_source(tmp_path / "clips", "toy")], plan, config, 3)
        for one, other in zip(islice(sharded, 7), islice(plain, 7), strict=True):
            assert one.names == other.names
            assert torch.equal(one.tensors.rgb, other.tensors.rgb)
    assert not list(Path(tmp_path).glob("neoverse-clip-*"))


def test_a_video_is_read_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "videos").mkdir()
    write_video(tmp_path / "videos" / "a b.mp4")
    row = ManifestRow(
        "a b", "spatial_vid", {"path": "videos/a b.mp4"}, 12, 12.0, 64, 48, "grey", has=frozenset({"pose"})
    )
    write_shards([row], tmp_path, tmp_path / "out")
    packed = Manifest(tmp_path / "out" / "clips.jsonl")[0]
    assert (packed.caption, packed.has) == ("grey", frozenset())
    with open_member(tmp_path / "out", packed) as file:
        assert file.read() == (tmp_path / "videos" / "a b.mp4").read_bytes()
        file.seek(0)
        with av.open(file) as container:
            decoded = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    assert decoded == pytest.approx([20 * n for n in range(12)], abs=3)
    clip = open_clip(tmp_path / "out", packed)
    assert float(clip.frame(9).rgb.float().mean()) == pytest.approx(180, abs=3)
    clip.close()


def add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    archive.addfile(header, io.BytesIO(content))


def test_shards_of_others_are_read(tmp_path: Path) -> None:
    """As webdataset packs: files that are equal up to the first dot are one sample."""
    write_video(tmp_path / "v.mp4")
    content = (tmp_path / "v.mp4").read_bytes()
    with tarfile.open(tmp_path / "x-000.tar", "w") as archive:
        for name in ("a", "part/b"):
            add(archive, f"{name}.json", json.dumps({"caption": f"about {name}"}).encode())
            add(archive, f"{name}.mp4", content)
        add(archive, "c.mp4", content)
        add(archive, "c.txt", b" told apart \n")
        add(archive, "d.txt", b"no video")
    (tmp_path / "index.json").write_text("{}")
    folder, rows = find_shards(tmp_path / "x-000.tar", "spatial_vid")
    assert [(row.id, row.caption) for row in rows] == [
        ("a", "about a"),
        ("part/b", "about part/b"),
        ("c", "told apart"),
    ]
    assert all((row.frames, row.fps, row.width, row.height) == (12, 12.0, 64, 48) for row in rows)
    clip = open_clip(folder, rows[1])
    assert float(clip.frame(3).rgb.float().mean()) == pytest.approx(60, abs=3)
    clip.close()
    with pytest.raises(SettingsError, match="does not say its data set"):
        find_shards(tmp_path / "x-000.tar")


def test_packing_twice_gives_equal_bytes(tmp_path: Path) -> None:
    rows = write_toy_folders(tmp_path / "clips", 2)
    for name in ("one", "two"):
        write_shards(rows, tmp_path / "clips", tmp_path / name)
    assert (tmp_path / "one/clips-000000.tar").read_bytes() == (tmp_path / "two/clips-000000.tar").read_bytes()


def test_damage_is_told(tmp_path: Path) -> None:
    rows = write_toy_folders(tmp_path / "clips", 2)
    write_shards(rows, tmp_path / "clips", tmp_path / "out")
    shard = tmp_path / "out" / "clips-000000.tar"
    packed = Manifest(tmp_path / "out" / "clips.jsonl")
    whole = shard.read_bytes()
    shard.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ClipError, match=r"clips-000000.tar: (no plain tar|shorter|no clip)"):
        open_clip(tmp_path / "out", packed[1]).frame(8)
    shard.write_bytes(b"no tar at all" * 100)
    with pytest.raises(ClipError, match="no plain tar"):
        members_of(shard)
    shard.unlink()
    with pytest.raises(ClipError, match="no such shard"):
        open_clip(tmp_path / "out", packed[0])
    with pytest.raises(ClipError, match="needs the shard's name, offset and size"):
        open_clip(tmp_path, ManifestRow("a", "toy", {"shard": "x.tar"}, 1, 1.0))
    with pytest.raises(ClipError, match="no file or folder nowhere"):
        write_shards([replace(rows[0], source={"path": "nowhere"})], tmp_path / "clips", tmp_path / "new")
    assert not list((tmp_path / "new").glob("*.tar"))
    (tmp_path / "shards.json").write_text('{"shardlist": [{"url": "https://there/a.tar"}]}')
    with pytest.raises(ClipError, match="not on this machine"):
        find_shards(tmp_path / "shards.json")


def test_members_that_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as archive:
        add(archive, "a/../../evil.txt", b"x")
    row = ManifestRow(
        "a", "toy_folder", {"shard": "bad.tar", "offset": 0, "size": 512, "member": "a/", "camera": 2}, 1, 1.0
    )
    with pytest.raises(ClipError, match="leads out of its folder"):
        open_clip(tmp_path, row)
    assert not (tmp_path.parent / "evil.txt").exists()
