"""What nerfstudio finds at start-up: entry points, light imports, an ffmpeg."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nerfstudio.engine.trainer import TrainerConfig
from nerfstudio.plugins.registry_dataparser import DataParserSpecification
from nerfstudio.plugins.types import MethodSpecification

from neoverse_ns.ffmpeg import provide_ffmpeg

ROOT = Path(__file__).resolve().parents[2]


def project() -> dict[str, Any]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no TOML reader")
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))


def load(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def test_every_method_is_registered_under_its_own_name() -> None:
    table = project()["project"]["entry-points"]["nerfstudio.method_configs"]
    assert {"neoverse", "neoverse-quick", "neoverse-hq", "neoverse-feedforward"} <= table.keys()
    for name, target in table.items():
        specification = load(target)
        assert isinstance(specification, MethodSpecification)
        assert isinstance(specification.config, TrainerConfig)
        assert specification.config.method_name == name
        assert specification.description
    files = {f.stem for f in (ROOT / "method_configs").glob("neoverse*.py")}
    assert files == {target.partition(":")[0].rpartition(".")[2] for target in table.values()}


def test_dataparser_is_registered() -> None:
    for target in project()["project"]["entry-points"]["nerfstudio.dataparser_configs"].values():
        assert isinstance(load(target), DataParserSpecification)


def test_optimised_groups_are_those_the_model_has() -> None:
    from neoverse_ns.optimise.scene_layers import PARAMETERS

    for target in project()["project"]["entry-points"]["nerfstudio.method_configs"].values():
        config = load(target).config
        optimises = config.pipeline.model.optimise
        assert set(config.optimizers) == ({*PARAMETERS, "camera_opt", "exposure"} if optimises else set())
        assert config.pipeline.model.camera_optimizer.mode == ("SE3" if optimises else "off")


def test_only_the_high_quality_method_adds_refined_views() -> None:
    table = project()["project"]["entry-points"]["nerfstudio.method_configs"]
    refiners = {name: load(target).config.pipeline.refiner.refiner for name, target in table.items()}
    assert {name for name, refiner in refiners.items() if refiner != "none"} == {"neoverse-hq"}
    assert refiners["neoverse-hq"] == "internal"


def test_plugin_adds_no_heavy_imports() -> None:
    """One failing or slow import would break every ns-* command of every method."""
    heavy = ("av", "diffusers", "transformers", "gsplat", "cv2", "mediapy", "open3d", "lpips", "skimage", "pycolmap")
    script = (
        "import importlib.metadata as metadata, sys\n"
        # Nerfstudio by itself, without any plugin.
        "every = metadata.entry_points\n"
        "metadata.entry_points = lambda **k: "
        "metadata.EntryPoints() if k.get('group', '').startswith('nerfstudio.') else every(**k)\n"
        "import nerfstudio.configs.base_config, nerfstudio.engine.trainer, nerfstudio.models.splatfacto\n"
        "import nerfstudio.pipelines.base_pipeline, nerfstudio.data.datamanagers.base_datamanager\n"
        "import nerfstudio.viewer.viewer_elements, nerfstudio.plugins.types\n"
        "before = {name.partition('.')[0] for name in sys.modules}\n"
        "import neoverse_ns.method_configs.neoverse, neoverse_ns.method_configs.dataparser\n"
        "after = {name.partition('.')[0] for name in sys.modules}\n"
        "print('ADDED', *sorted(after - before))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=True, env=dict(os.environ)
    )
    added = next(line for line in done.stdout.splitlines() if line.startswith("ADDED")).split()[1:]
    assert "neoverse_ns" in added
    assert not set(heavy) & set(added)


def test_ffmpeg_is_provided_where_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for _ in range(2):
        provide_ffmpeg()
        done = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.startswith("ffmpeg version")
    # What was on the PATH before keeps its precedence, and nothing is added twice.
    folders = os.environ["PATH"].split(os.pathsep)
    assert folders[0] == str(tmp_path)
    assert len(folders) == 2


def test_an_ffmpeg_on_the_path_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "ffmpeg"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    provide_ffmpeg()
    assert os.environ["PATH"] == str(tmp_path)
