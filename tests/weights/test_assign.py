"""Tensors end up in the module exactly, or one message says which do not fit; memory stays that of the weights."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from neoverse_ns.errors import WeightsError
from neoverse_ns.weights.assign import assign_weights
from neoverse_ns.weights.match import common_prefix, compare
from neoverse_ns.weights.read import read_weights


class Small(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 4), nn.Linear(4, 2)
        self.register_buffer("steps", torch.tensor(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.first(x).relu())


def filled() -> Small:
    torch.manual_seed(3)
    model = Small()
    model.steps.fill_(5)  # type: ignore[operator]
    return model


def on_meta() -> Small:
    with torch.device("meta"):
        return Small()


@pytest.mark.parametrize("prefix", ["", "model.", "module.reconstructor."])
def test_the_module_computes_what_it_computed_when_saved(tmp_path: Path, prefix: str) -> None:
    truth = filled()
    torch.save({prefix + key: value for key, value in truth.state_dict().items()}, tmp_path / "w.ckpt")
    file = read_weights(tmp_path / "w.ckpt")
    model = assign_weights(on_meta(), file)
    x = torch.randn(6, 3)
    torch.testing.assert_close(model(x), truth(x), rtol=0, atol=0)
    assert model.steps.item() == 5  # type: ignore[operator]
    assert not model.training
    assert not any(p.requires_grad for p in model.parameters())
    assert not file.tensors


def test_the_type_is_chosen_for_floats_alone(tmp_path: Path) -> None:
    save_file(filled().state_dict(), tmp_path / "w.safetensors")
    model = assign_weights(on_meta(), read_weights(tmp_path / "w.safetensors"), torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert model.steps.dtype == torch.int64  # type: ignore[union-attr]
    torch.testing.assert_close(model.first.weight, filled().first.weight.to(torch.bfloat16), rtol=0, atol=0)


def test_every_kind_of_mismatch_is_counted_and_named(tmp_path: Path) -> None:
    state = filled().state_dict()
    del state["first.bias"], state["steps"]
    state["second.weight"] = torch.zeros(9, 4)
    state |= {f"foreign.{i}": torch.zeros(1) for i in range(5)}
    torch.save(state, tmp_path / "w.ckpt")
    with pytest.raises(WeightsError) as raised:
        assign_weights(on_meta(), read_weights(tmp_path / "w.ckpt"))
    message = str(raised.value)
    assert "2 of 5 tensors missing (steps, first.bias)" in message
    assert "5 unexpected (foreign.0, foreign.1, foreign.2, ...)" in message
    assert "1 of another shape (second.weight: [9, 4] instead of [2, 4])" in message
    assert "w.ckpt" in message
    assert "\n" not in message


def test_compare_and_prefixes() -> None:
    shapes = {"a": (1,), "b": (2, 3)}
    assert not compare(shapes, dict(shapes))
    assert compare(shapes, {"a": (1,)}).missing == ["b"]
    assert common_prefix(["a", "net.a"], ["a", "b"]) == ""
    assert common_prefix(["net.b", "loss.c"], ["a", "b"]) == "net."
    # Two candidates: guessing would hide one of them.
    assert common_prefix(["ema.a", "net.a"], ["a"]) == ""
    assert common_prefix(["xa"], ["a"]) == ""


def test_buffers_outside_the_state_dict_must_be_real(tmp_path: Path) -> None:
    class Cached(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(2))
            self.register_buffer("table", torch.arange(3.0), persistent=False)

    torch.save({"weight": torch.ones(2)}, tmp_path / "w.ckpt")
    with torch.device("meta"):
        model = Cached()
    with pytest.raises(RuntimeError, match="table"):
        assign_weights(model, read_weights(tmp_path / "w.ckpt"))


MEASURE = """
import json, sys, torch
from pathlib import Path
from torch import nn
from neoverse_ns.weights.assign import assign_weights
from neoverse_ns.weights.read import read_weights

def peak():
    # Unlike what getrusage tells, this does not start with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

with torch.device("meta"):
    model = nn.Sequential(*[nn.Linear(1024, 512, bias=False) for _ in range(100)])
import safetensors
before = peak()
assign_weights(model, read_weights(Path(sys.argv[1])), getattr(torch, sys.argv[2]))
# Mapped tensors cost nothing until they are read, so read all of them.
total = sum(float(p.double().sum()) for p in model.parameters())
size = sum(p.numel() * p.element_size() for p in model.parameters())
print(json.dumps({"grown": peak() - before, "size": size, "total": total}))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory is read the way Linux counts it")
@pytest.mark.parametrize(("kind", "dtype", "megabytes"), [("ckpt", "float32", 200), ("safetensors", "bfloat16", 100)])
def test_peak_memory_is_that_of_the_weights(tmp_path: Path, kind: str, dtype: str, megabytes: int) -> None:
    """A process that loads 200 MB of weights grows by no more than 1.1 times what it keeps of them."""
    path = tmp_path / f"w.{kind}"
    state = {f"{i}.weight": torch.randn(512, 1024) for i in range(100)}
    (torch.save if kind == "ckpt" else save_file)(state, path)
    command = [sys.executable, "-c", MEASURE, str(path), dtype]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout.strip().rpartition("\n")[2])
    assert result["size"] == megabytes << 20
    assert 0.9 * result["size"] < result["grown"] < 1.1 * result["size"]
    truth = sum(float(value.to(getattr(torch, dtype)).double().sum()) for value in state.values())
    assert result["total"] == pytest.approx(truth, abs=1e-6)
