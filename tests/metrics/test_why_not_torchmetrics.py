"""What would be lost if torchmetrics computed PSNR, SSIM and LPIPS; that its numbers are ours is tested beside this."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure
from torchmetrics.functional.image.lpips import _LPIPS

from neoverse_ns.metrics.image import psnr, ssim, ssim_map
from neoverse_ns.metrics.lpips import load_lpips
from tests.metrics.alexnet import random_alexnet

ROOT = Path(__file__).resolve().parents[2]


def planar(image: torch.Tensor) -> torch.Tensor:
    return image.permute(2, 0, 1)[None]


def full_map(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """torchmetrics' SSIM of every pixel and channel [h,w,3]."""
    found = structural_similarity_index_measure(planar(a), planar(b), data_range=1.0, return_full_image=True)
    return found[1][0].permute(1, 2, 0)


def test_metrics_work_where_torchmetrics_cannot_be_imported(tmp_path: Path) -> None:
    """A CPU-only torch beside torchvision's CUDA build, as pip may leave it: any import of torchmetrics fails there.

    Neither it nor torchvision need be installed either, where a scene is optimised without nerfstudio.
    """
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "raise RuntimeError('operator torchvision::nms does not exist')\n"
    )
    torch.save(random_alexnet(), tmp_path / "alexnet.pth")
    script = (
        "import sys, torch\n"
        "from pathlib import Path\n"
        "from neoverse_ns.metrics.image import psnr, ssim\n"
        "from neoverse_ns.metrics.lpips import load_lpips\n"
        "a = torch.rand(40, 50, 3, generator=torch.Generator().manual_seed(0))\n"
        "values = [metric(a, 0.9 * a) for metric in (psnr, ssim, load_lpips(Path('alexnet.pth')))]\n"
        "print('OURS', *values, *({'torchmetrics', 'torchvision'} & sys.modules.keys()))\n"
        "try:\n"
        "    import torchmetrics.functional.image.psnr\n"
        "except RuntimeError as error:\n"
        "    print('THEIRS', error)\n"
    )
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=dict(os.environ, PYTHONPATH=path),
        capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    lines = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    values = [float(word) for word in lines["OURS"].split()]
    assert len(values) == 3
    assert all(0 < value < 100 for value in values)
    assert lines["THEIRS"] == "operator torchvision::nms does not exist"


def test_psnr_is_exact_where_theirs_keeps_a_constant_in_single_precision() -> None:
    a = torch.full((8, 9, 3), 0.5, dtype=torch.float64)
    b = a + 0.01  # 40 dB by definition
    assert abs(psnr(a, b) - 40) < 1e-9
    assert 1e-6 < abs(peak_signal_noise_ratio(a, b, data_range=1.0).item() - 40) < 1e-5


def test_ssim_costs_a_fifth_and_is_nearer_to_double_precision() -> None:
    """Theirs filters with the whole window at once instead of along rows, then columns.

    Its sums of 121 products then cancel in the variances of bright, even pictures; in double precision, where it is
    exact, it took sixty times as long as ours on a frame of 560 x 336.
    """
    random = torch.Generator().manual_seed(0)
    y, x = torch.meshgrid(torch.linspace(0, 1, 64), torch.linspace(0, 1, 80), indexing="ij")
    errors = []
    for level in (0.3, 0.5, 0.7, 0.9):
        sky = (level + 0.05 * y + 0.02 * x)[..., None].expand(-1, -1, 3)
        noisy = (sky + 0.003 * torch.randn(64, 80, 3, generator=random)).clamp(0, 1)
        exact = full_map(sky.double(), noisy.double())
        torch.testing.assert_close(ssim_map(sky.double(), noisy.double()), exact, atol=1e-9, rtol=0)
        errors.append([(found(sky, noisy) - exact).abs().max().item() for found in (ssim_map, full_map)])
    ours, theirs = torch.tensor(errors).mean(0).tolist()
    assert ours < 0.6 * theirs

    def operations(metric) -> int:
        with FlopCounterMode(display=False) as counter:
            metric(torch.rand(33, 40, 3), torch.rand(33, 40, 3))
        return counter.get_total_flops()

    assert operations(ssim_map) < 0.25 * operations(full_map)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (4, 60), (60, 5)])
def test_ssim_takes_images_smaller_than_its_margin(height: int, width: int) -> None:
    a = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))
    assert ssim(a, a) == pytest.approx(1, abs=1e-5)
    with pytest.raises(RuntimeError, match=r"[Pp]adding"):
        full_map(a, a)


def test_lpips_needs_no_torchvision_and_leaves_seeds_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their network makes torchvision's AlexNet before a file's weights can be put into it, classifier and all."""
    torch.save(random_alexnet(), tmp_path / "alexnet.pth")
    state = torch.get_rng_state()
    assert load_lpips(tmp_path / "alexnet.pth") is not None
    assert torch.equal(torch.get_rng_state(), state)
    pytest.importorskip("torchvision")
    _LPIPS(net="alex", pnet_rand=True)
    assert not torch.equal(torch.get_rng_state(), state)
    monkeypatch.setitem(sys.modules, "torchvision", None)
    with pytest.raises(ModuleNotFoundError):
        _LPIPS(net="alex", pnet_rand=True)
