"""What accelerate takes: the objective, with its loss where those that share parameters look for it."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from neoverse_ns.training.data.batch import TrainingBatch
from neoverse_ns.training.reconstructor.objective import Objective, StepResult


class Learner(nn.Module):
    """FSDP hooks onto tensors that a forward returns, and finds them in tuples, but not in our results."""

    def __init__(self, objective: Objective) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, batch: TrainingBatch) -> tuple[Float[Tensor, ""], StepResult]:
        """The loss, and all that it is made of."""
        result = self.objective(batch)
        return result.total, result
