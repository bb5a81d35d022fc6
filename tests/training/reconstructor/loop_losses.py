"""The terms of the loss once more, one pixel at a time in plain Python, from the formulas alone."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

Array = np.ndarray


def mean_below_quantile(values: list[float]) -> float:
    """Of all but the worst two in a hundred, where over a thousand are left."""
    if len(values) <= 1000:
        return sum(values) / len(values)
    bound = sorted(values)[round(0.98 * (len(values) - 1))]
    kept = [value for value in values if value < bound]
    return sum(kept) / len(kept) if len(kept) > 1000 else sum(values) / len(values)


def pixels(mask: Array) -> Iterator[tuple[int, int, int]]:
    for s, y, x in np.ndindex(*mask.shape):
        if mask[s, y, x]:
            yield s, y, x


def regression(predicted: Array, truth: Array, mask: Array, confidence: Array | None, gradients: str | None) -> float:
    if mask.sum() < 100:
        return 0.0
    plain, judged = [], []
    for place in pixels(mask):
        error = min(math.dist(predicted[place], truth[place]), 100)
        c = 1.0 if confidence is None else float(confidence[place])
        plain.append(error)
        judged.append(min(error * c - 0.2 * math.log(c), 100))
    total = mean_below_quantile(judged) + mean_below_quantile(plain)
    if gradients == "depth":
        total += sum(depth_gradient(predicted, truth, mask, step) for step in (1, 2, 4, 8)) / 4
    if gradients == "normals":
        total += sum(normal_angle(predicted, truth, mask, step) for step in (1, 2, 4)) / 3
    return total


def depth_gradient(predicted: Array, truth: Array, mask: Array, step: int) -> float:
    error = (predicted - truth)[:, ::step, ::step, 0]
    valid = mask[:, ::step, ::step]
    total, height, width = 0.0, *valid.shape[1:]
    for s, y, x in pixels(valid):
        if x + 1 < width and valid[s, y, x + 1]:
            total += min(abs(error[s, y, x + 1] - error[s, y, x]), 100)
        if y + 1 < height and valid[s, y + 1, x]:
            total += min(abs(error[s, y + 1, x] - error[s, y, x]), 100)
    return total / valid.sum() if valid.any() else 0.0


def normal_angle(predicted: Array, truth: Array, mask: Array, step: int) -> float:
    one, other, valid = predicted[:, ::step, ::step], truth[:, ::step, ::step], mask[:, ::step, ::step]
    sides = [(-1, 0), (0, -1), (1, 0), (0, 1)]  # up, left, down, right
    values = []
    for s, y, x in pixels(valid):
        for (ay, ax), (by, bx) in zip(sides, sides[1:] + sides[:1], strict=True):
            ends = [(s, y + ay, x + ax), (s, y + by, x + bx)]
            if all(0 <= e[1] < valid.shape[1] and 0 <= e[2] < valid.shape[2] and valid[e] for e in ends):
                pair = []
                for points in (one, other):
                    normal = np.cross(points[ends[0]] - points[s, y, x], points[ends[1]] - points[s, y, x])
                    pair.append(normal / np.linalg.norm(normal))
                values.append(1 - float(pair[0] @ pair[1]))
    return sum(values) / len(values) if len(values) >= 10 else 0.0


def camera(rounds: Array, truth: Array, pose_known: bool = True) -> float:
    total = 0.0
    for number, said in enumerate(rounds):
        difference = np.abs(said - truth)
        value = 0.5 * difference[:, 7:].mean()
        if pose_known:
            value += np.minimum(difference[:, :3], 100).mean() + difference[:, 3:7].mean()
        total += 0.6 ** (len(rounds) - 1 - number) * float(value)
    return total / len(rounds)


def motion(predicted: Array, confidence: Array, truth: Array, valid: Array, plain: bool, balance: bool) -> float:
    if valid.sum() < 100:
        return 0.0
    kinds: dict[bool, list[tuple[float, float]]] = {}
    for place in pixels(valid):
        moves = math.hypot(*truth[place]) > 0.01 if balance else True
        error = math.dist(predicted[place], truth[place])
        kinds.setdefault(moves, []).append((error, float(confidence[place])))
    total = 0.0
    for found in kinds.values():
        if plain:
            value = sum(error for error, _ in found) / len(found)
        else:
            errors = [min(error, 100) for error, _ in found]
            judged = [e * c - 0.2 * math.log(c) for e, (_, c) in zip(errors, found, strict=True)]
            value = mean_below_quantile([min(v, 100) for v in judged]) + mean_below_quantile(errors)
        total += value / len(kinds)
    return total


def colour(drawn: Array, truth: Array, mask: Array) -> float:
    found = [float(((drawn[s, :, y, x] - truth[s, :, y, x]) ** 2).sum()) for s, y, x in pixels(mask)]
    return sum(found) / len(found) if found else 0.0
