"""What nerfstudio's exporter reads from the model: one instant, calculated once, never an old one."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from neoverse_ns.export.instant import flat_instant
from neoverse_ns.gaussians.dynamic import SH_C0
from neoverse_ns.gaussians.layers import BACKGROUND
from neoverse_ns.gaussians.rows import select_rows
from neoverse_ns.gaussians.transition import at_time
from neoverse_ns.geometry.interpolation import camera_at
from neoverse_ns.optimise.row_adam import RowAdam
from neoverse_ns.plugin import export_properties
from neoverse_ns.plugin.model import NeoVerseModel
from neoverse_ns.plugin.remembered import Remembered
from neoverse_ns.reconstruct.scene import Scene
from tests.plugin.tiny_scene import tiny_gaussians, tiny_model, tiny_scene

TIME = 0.6


def covered_scene() -> Scene:
    """The tiny scene with a constant layer behind its frames' and among them."""
    scene = tiny_scene()
    assert scene.gaussians is not None
    behind = tiny_gaussians(200, seed=9)
    behind = behind.with_(dynamic=torch.zeros(200, dtype=torch.bool))
    return replace(scene, gaussians=scene.gaussians.replaced(BACKGROUND, behind))


@pytest.fixture
def model() -> NeoVerseModel:
    return tiny_model(covered_scene(), export_time=TIME)


def test_properties_list_the_flat_instant(model: NeoVerseModel) -> None:
    scene = covered_scene()
    cameras = model.camera_optimizer.refined(scene.geometry.cameras, scene.clip.times)
    camera = camera_at(cameras, scene.clip.times, TIME)
    expected = flat_instant(model.gaussians.detach(), TIME, camera)
    count = len(expected.index)
    assert 0 < count < len(at_time(model.gaussians.flat(), TIME).index)
    shapes = {"means": 3, "quats": 4, "scales": 3, "opacities": 1, "shs_0": 3, "features_dc": 3, "colors": 3}
    for name, width in shapes.items():
        assert tuple(getattr(model, name).shape) == (count, width), name
        assert not getattr(model, name).requires_grad, name
    assert tuple(model.shs_rest.shape) == tuple(model.features_rest.shape) == (count, 0, 3)
    assert torch.equal(model.means, expected.means)
    assert torch.equal(model.quats, expected.quats)
    torch.testing.assert_close(model.scales.exp(), expected.scales)
    torch.testing.assert_close(torch.sigmoid(model.opacities)[:, 0], expected.opacities, atol=1e-6, rtol=1e-4)
    torch.testing.assert_close(model.colors, (0.5 + SH_C0 * expected.sh[:, 0]).clamp(0, 1))
    assert model.num_points == model.gaussians.count


def test_the_instant_is_calculated_once_until_something_changes(
    model: NeoVerseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[float] = []

    def counted(*arguments):
        calls.append(arguments[1])
        return flat_instant(*arguments)

    monkeypatch.setattr(export_properties, "flat_instant", counted)

    def read() -> tuple[int, torch.Tensor]:
        before = len(calls)
        means = model.means.clone()
        assert (len(model.quats), len(model.opacities)) == (len(means), len(means))
        return len(calls) - before, means

    first, means = read()
    assert (first, calls) == (1, [TIME])
    assert read()[0] == 0

    # A training step: sparse rows for the Gaussians, a dense gradient for the cameras.
    parameters = model.get_param_groups()
    optimizer = RowAdam(parameters["means"], lr=0.01)
    select_rows(model.gaussians.frames.means, torch.arange(300)).square().sum().backward()
    optimizer.step()
    recalculated, moved = read()
    assert recalculated == 1
    assert len(moved) != len(means) or not torch.equal(moved, means)

    twists = parameters["camera_opt"][0]
    twists.grad = torch.ones_like(twists)
    torch.optim.Adam([twists], lr=0.01).step()
    assert read()[0] == 1

    state = {name: value.clone() for name, value in model.state_dict().items()}
    model.load_state_dict(state)
    assert read()[0] == 1

    model.optimisation.layers.replace(BACKGROUND, None, {})
    changed, fewer = read()
    assert changed == 1
    assert len(fewer) != len(moved)

    model.config.export_time = 0.2
    assert read()[0] == 1
    assert calls[-1] == 0.2
    assert read()[0] == 0


def test_remembered_keeps_no_tensor_alive_and_takes_no_other_for_it() -> None:
    remembered: Remembered[float] = Remembered()
    table = torch.zeros(3)
    assert remembered.get([table], (), lambda: 1.0) == 1.0
    assert remembered.get([table], (), lambda: 2.0) == 1.0
    assert remembered.get([table], ("other",), lambda: 2.0) == 2.0
    # Another tensor in the same memory, of the same version and shape, as allocators hand it out again.
    memory = table.numpy()
    version = table._version
    del table
    again = torch.from_numpy(memory)
    assert again._version == version
    assert remembered.get([again], ("other",), lambda: 3.0) == 3.0
    again[0] = 1
    assert remembered.get([again], ("other",), lambda: 4.0) == 4.0
    with torch.inference_mode():
        uncounted = torch.zeros(3)
    assert [remembered.get([uncounted], (), lambda v=v: v) for v in (5.0, 6.0)] == [5.0, 6.0]
