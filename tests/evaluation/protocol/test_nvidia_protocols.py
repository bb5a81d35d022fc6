"""NVIDIA's protocols on fabricated names."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.protocol import Choice
from tests.evaluation.data.fabricate_nvidia import write_mono, write_nsff


def chosen(folder: Path, alias: str) -> Choice:
    one = protocol(alias)
    assert one.scenes is not None
    assert "Jumping" in one.scenes
    return one.rule(benchmark_data(one.data).open(folder, "Jumping"))


def test_twelve_frames_of_a_camera_that_jumps(tmp_path: Path) -> None:
    write_mono(tmp_path, size=(8, 6), drawn=False)
    choice = chosen(tmp_path, "nvidia-mono12@1")
    assert [frame.name for frame in choice.inputs] == [f"images/{time:03d}.png" for time in range(12)]
    assert [frame.name for frame in choice.targets] == [f"gt/v000_t{time:03d}.png" for time in range(12)]
    choice = chosen(tmp_path, "nvidia-c4g@1")
    assert [frame.name for frame in choice.inputs] == [f"images/{time:03d}.png" for time in range(0, 12, 2)]
    assert [frame.name for frame in choice.targets] == [f"images/{time:03d}.png" for time in range(1, 10, 2)]


def test_24_frames_have_264_targets(tmp_path: Path) -> None:
    made = write_nsff(tmp_path, frames=24, size=(8, 6), drawn=False)[0]
    choice = chosen(tmp_path, "nvidia-nsff24@1")
    assert len(choice.inputs) == 24
    assert len(choice.targets) == 264
    assert choice.skipped == ()
    assert not {(frame.camera, frame.time) for frame in choice.targets} & {(str(t % 12 + 1), t) for t in range(24)}
    moving = chosen(tmp_path, "nvidia-nsff24-dynamic@1")
    assert [frame.name for frame in moving.targets] == [frame.name for frame in choice.targets]
    (made.folder / "dense/mv_images/00013/cam07.jpg").unlink()
    choice = chosen(tmp_path, "nvidia-nsff24@1")
    assert (len(choice.targets), choice.skipped) == (263, ("camera 7 has no frame at time 13",))


def test_whole_videos_leave_three_times_at_either_end(tmp_path: Path) -> None:
    write_nsff(tmp_path, frames=15, size=(8, 6), poses="poses_bounds_cvd.npy", drawn=False)
    for alias in ("nvidia-long@1", "nvidia-long-dynamic@1", "nvidia-long-static@1"):
        choice = chosen(tmp_path, alias)
        assert [frame.time for frame in choice.inputs] == list(range(15))
        assert sorted({frame.time for frame in choice.targets}) == list(range(3, 12))
        assert len(choice.targets) == 9 * 11


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [
        ("nvidia-mono12@1", "nvidia-mono-7/c0t0:12>c1t0:12/given/plain/1x/psnr+ssim-sk7+lpips-alex/r1"),
        (
            "nvidia-c4g@1",
            "nvidia-mono-7/c0t0:12:2>c0t1:10:2/sim3-context(bundle)+tto-2000(bundle)/plain/224c/"
            "psnr+ssim-sk11+lpips-vgg/r1",
        ),
        (
            "nvidia-nsff24@1",
            "nvidia-nsff-7/c0t0:24>cbutturn12t0:24/given/plain/1x/psnr+ssim-sk7-range2+lpips-alex/r1",
        ),
        (
            "nvidia-long-dynamic@1",
            "nvidia-long-7/c0t0:>cbutturn12t3:-3/given/dyn-seen/1x/mpsnr+mssim-sk7-range2+lpips-nsff/r1",
        ),
    ],
)
def test_ids(alias: str, wanted: str) -> None:
    assert protocol(alias).full_id("bundle") == wanted
