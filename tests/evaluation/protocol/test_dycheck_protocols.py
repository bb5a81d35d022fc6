"""DyCheck's protocols on the names of frames that paper-windmill has."""

from __future__ import annotations

from pathlib import Path

import pytest

from neoverse_ns.evaluation.data.registry import benchmark_data
from neoverse_ns.evaluation.protocol.aliases import protocol
from neoverse_ns.evaluation.protocol.protocol import Choice
from tests.evaluation.data.fabricate_dycheck import write_dycheck

SCENE = "paper-windmill"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("iphone")
    write_dycheck(made, (SCENE,), 277, (720, 960), {"1": range(140, 198), "2": range(77)}, pictures=False, refined=True)
    return made


def chosen(folder: Path, alias: str) -> Choice:
    one = protocol(alias)
    assert one.scenes is not None
    assert SCENE in one.scenes
    return one.rule(benchmark_data(one.data).open(folder, SCENE))


def test_all_frames_of_all_cameras(folder: Path) -> None:
    for alias, size in (("dycheck-own@1", (360, 480)), ("dycheck-som@1", (720, 960))):
        choice = chosen(folder, alias)
        assert (len(choice.inputs), len(choice.targets), choice.skipped) == (277, 219 + 200, ())
        assert {(frame.width, frame.height) for frame in choice.inputs + choice.targets} == {size}


def test_neoverse_counts_on_the_input_cameras_times(folder: Path) -> None:
    choice = chosen(folder, "dycheck-neoverse@1")
    assert [frame.name for frame in choice.inputs] == [f"rgb/1x/0_{time:05d}.png" for time in range(0, 64, 2)]
    assert [frame.name for frame in choice.targets] == [f"rgb/1x/1_{time:05d}.png" for time in range(64)]
    assert choice.skipped == ()


def test_c4g_counts_on_the_times_of_all_cameras(folder: Path) -> None:
    choice = chosen(folder, "dycheck-c4g@1")
    shared = [*range(77, 140), 198]
    assert [frame.time for frame in choice.targets] == shared
    assert [frame.time for frame in choice.inputs] == [*shared[0:61:2], 198]
    assert len(choice.inputs) == 32


def test_movies_gives_every_fifth(folder: Path) -> None:
    choice = chosen(folder, "dycheck-movies@1")
    assert [frame.time for frame in choice.inputs] == list(range(0, 65, 5))
    assert [(frame.camera, frame.time) for frame in choice.targets] == [("1", time) for time in range(65)]


@pytest.mark.parametrize(
    ("alias", "wanted"),
    [
        ("dycheck-own@1", "dycheck-7/c0t0:>c1+2t0:/given/covis/2x/mpsnr+mssim+mlpips/r1"),
        ("dycheck-som@1", "dycheck-som-5/c0t0:>c1+2t0:/given/covis/1x/mpsnr+mssim+mlpips/r1"),
        (
            "dycheck-neoverse@1",
            "dycheck-5/c0t0:64:2>c1t0:64/predict-all(bundle)/plain/560x560/psnr+ssim-sk11+lpips-vgg/r1",
        ),
        (
            "dycheck-c4g@1",
            "dycheck-som-5/shared64-c0tlin0:63:32>c1t0:64/sim3-context(bundle)+tto-1000(bundle)/plain/224c/"
            "psnr+ssim-sk11+lpips-vgg/r1",
        ),
        ("dycheck-movies@1", "dycheck-5/c0t0:65:5>c1+2t0:65/given/covis/518c/mpsnr+mssim+mlpips/r1"),
    ],
)
def test_ids(alias: str, wanted: str) -> None:
    assert protocol(alias).full_id("bundle") == wanted
