"""Adam that touches only the rows a step has gradients for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer


class RowAdam(torch.optim.Adam):
    """Adam (Kingma and Ba, 2015) for parameters with coalesced sparse row gradients; dense ones are updated as usual.

    Rows without a gradient keep their moments and values, as in `torch.optim.SparseAdam`, so a step costs what the rows
    drawn in it cost. Bias correction counts the steps of a parameter group, not each row's.
    """

    def __init__(
        self, params: Any, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-15
    ) -> None:
        super().__init__(params, lr=lr, betas=betas, eps=eps)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:  # pyright: ignore
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            drawn = [parameter for parameter in group["params"] if parameter.grad is not None]
            if drawn:
                # Counted for the group: a layer that is drawn late takes no larger first steps than the others do.
                group["steps"] = group.get("steps", 0) + 1
            for parameter in drawn:
                self._update(parameter, parameter.grad, group)
        return loss

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0.0)
            state["exp_avg"] = torch.zeros_like(parameter)
            state["exp_avg_sq"] = torch.zeros_like(parameter)
        step = float(group["steps"])
        state["step"].fill_(step)
        beta1, beta2 = group["betas"]
        rows, values = _rows(gradient)
        # The parameter itself, not its data: what others remember about it shall not outlive this.
        tables = (parameter, state["exp_avg"], state["exp_avg_sq"])
        value, mean, square = tables if rows is None else (t.index_select(0, rows) for t in tables)
        mean = mean.lerp_(values, 1 - beta1)
        square = square.mul_(beta2).addcmul_(values, values, value=1 - beta2)
        scale = (square / (1 - beta2**step)).sqrt_().add_(group["eps"])
        value = value.addcdiv_(mean, scale, value=-group["lr"] / (1 - beta1**step))
        if rows is not None:
            for table, changed in zip(tables, (value, mean, square), strict=True):
                table.index_copy_(0, rows, changed)


def _rows(gradient: Tensor) -> tuple[Tensor | None, Tensor]:
    """Row indices and their gradients; None for a dense gradient."""
    if not gradient.is_sparse:
        return None, gradient
    rows = gradient._indices()[0]
    if bool((rows[1:] > rows[:-1]).all()):
        # Autograd forgets that rows of a single selection are coalesced already; sorting them again would cost as much
        # as the update itself.
        return rows, gradient._values()
    gradient = gradient.coalesce()
    return gradient.indices()[0], gradient.values()


def exchange(optimizer: Optimizer | None, old: nn.Parameter, new: nn.Parameter) -> None:
    """Let an optimiser go on with `new` where it had `old`, without moments; None is no optimiser."""
    if optimizer is None:
        return
    optimizer.state.pop(old, None)
    for group in optimizer.param_groups:
        group["params"] = [new if parameter is old else parameter for parameter in group["params"]]
