"""`predict-all`: a second solve, of inputs and targets together, tells how the targets stand to the inputs.

The camera solver sees the targets' pictures; the scene is made before, of the inputs alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from neoverse_ns.clip.clip import Clip
from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.judges.views.task import ViewTask
from neoverse_ns.evaluation.placing.placed import Placed
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_inverse


@dataclass(frozen=True)
class Together:
    """Inputs and targets as one clip, for the camera solver alone.

    Attributes:
        clip: All of them, of the size of the inputs.
        inputs: Positions of the inputs, in the order of the task.
        targets: Positions of the targets, likewise.
    """

    clip: Clip
    inputs: list[int]
    targets: list[int]


def together(task: ViewTask, chained: bool) -> Together:
    """Read the targets and put them among the inputs.

    Args:
        task: Which lets its targets be looked at.
        chained: For solvers that follow frames from one to the next: other cameras' frames come after the inputs, each
            camera's path walked back from where the last one ended, so that no step leads from camera to camera but
            between frames of about one time. Else all are in order of their times.

    Raises:
        SettingsError: The task does not let its targets be looked at.
    """
    if task.peek is None:
        raise SettingsError(f"{task.scene}: its protocol does not let anybody look at the targets")
    own = set(task.input_cameras)
    n, times = len(task.names), [*task.clip.times.tolist(), *(target.time for target in task.targets)]
    path = [*range(n), *(n + m for m, target in enumerate(task.targets) if not chained or target.camera in own)]
    order = sorted(path, key=lambda place: (times[place], place))
    for turn, camera in enumerate(sorted({target.camera for target in task.targets} - own) if chained else []):
        others = [n + m for m, target in enumerate(task.targets) if target.camera == camera]
        order += sorted(others, key=lambda place: times[place], reverse=turn % 2 == 0)
    size = task.clip.width, task.clip.height
    pictures = [*task.clip.frames, *(_sized(task.peek(target), size) for target in task.targets)]
    seconds = [times[place] for place in order]
    if any(after <= before for before, after in pairwise(seconds)):
        # Walked back, time goes on as a clip's must; nothing but its order counts for cameras.
        seconds = [place / max(len(order) - 1, 1) for place in range(len(order))]
    ignored = None
    if task.clip.ignored is not None:
        nothing = torch.zeros_like(task.clip.ignored[0])
        ignored = torch.stack([task.clip.ignored[place] if place < n else nothing for place in order])
    span = float(task.clip.seconds[-1] - task.clip.seconds[0]) or 1.0
    clip = replace(
        task.clip,
        frames=torch.stack([pictures[place] for place in order]),
        frame_indices=torch.arange(len(order)),
        seconds=torch.tensor(seconds, dtype=torch.float64) * span,
        ignored=ignored,
    )
    position = {place: number for number, place in enumerate(order)}
    return Together(clip, [position[i] for i in range(n)], [position[n + m] for m in range(len(task.targets))])


def place_predict_all(
    task: ViewTask, found: PinholeCameras, joint: Together, solved: PinholeCameras, signed: bool = False
) -> Placed:
    """Targets in the world of `found`, as `solved` has them relative to the first input.

    Args:
        task: Its targets.
        found: Cameras of the inputs as the scene has them (run A).
        joint: What was solved together.
        solved: Its cameras (run B).
        signed: See :func:`unit_ratio`.
    """
    scale = unit_ratio(found.c2w, solved.c2w[joint.inputs], signed)
    first, origin = found.c2w[0].double(), solved.c2w[joint.inputs[0]].double()
    relative = se3_inverse(origin) @ solved.c2w[joint.targets].double()
    relative[:, :3, 3] *= scale
    K = solved.K[joint.targets].double().clone()
    sizes = [(target.width / solved.width, target.height / solved.height) for target in task.targets]
    K[:, :2] *= torch.tensor(sizes, dtype=torch.float64).reshape(-1, 2, 1)
    return Placed(first @ relative, K)


def unit_ratio(one: Float[Tensor, "n 4 4"], other: Float[Tensor, "n 4 4"], signed: bool = False) -> float:
    """Unit of `other` in that of `one`: ratio of the mean lengths of the translations relative to the first camera.

    Where all stand in one place nothing tells, and it is 1.

    Args:
        one: Cameras in one world.
        other: The same in another.
        signed: Take the ratio of the means of the translations' signed components instead, as AnySplat's released
            evaluation does. It may be next to nothing over next to nothing.
    """
    a, b = (se3_inverse(c2w[:1].double()) @ c2w.double() for c2w in (one, other))
    if signed:
        mean_a, mean_b = float(a[:, :3, 3].mean()), float(b[:, :3, 3].mean())
    else:
        mean_a, mean_b = float(a[:, :3, 3].norm(dim=1).mean()), float(b[:, :3, 3].norm(dim=1).mean())
    return mean_a / mean_b if abs(mean_b) > 1e-12 and abs(mean_a) > 1e-12 else 1.0


def _sized(image: Tensor, size: tuple[int, int]) -> Tensor:
    if (image.shape[1], image.shape[0]) == size:
        return image
    shrinks = size[0] <= image.shape[1]
    resized = cv2.resize(image.numpy(), size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return torch.from_numpy(np.ascontiguousarray(resized))
