"""Everything that one evaluation found, as JSON holds it: what was measured, by whom, of what, on what."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any

from neoverse_ns.evaluation.results.scene_result import SceneResult
from neoverse_ns.trajectory.plain_json import plain

FORMAT = 1
"""Grows when files of before can no longer be read as they are."""


@dataclass
class MethodRun:
    """One method under the protocol.

    Attributes:
        method: As it was asked for.
        id: The protocol's full id with this method's solver.
        solver: Who found cameras.
        settings: What its answers depend on, by name.
        weights: SHA-256 of every file of weights, by what it is for.
        scenes: Those that are done, in order.
    """

    method: str
    id: str
    solver: str
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    scenes: list[SceneResult] = field(default_factory=list)

    def of(self, scene: str) -> SceneResult | None:
        """What was found of a scene; None where it was not measured yet."""
        return next((result for result in self.scenes if result.scene == scene), None)


@dataclass
class RunFile:
    """One protocol on one data folder, all methods.

    Attributes:
        alias: Of the protocol.
        protocol: Its parts, plain.
        scenes: Names of all that were to be measured.
        missing: Of those that the protocol names, and that are not there; only where that was asked for.
        data: Its layout, and :func:`~neoverse_ns.evaluation.results.provenance.file_list`.
        package: See :func:`~neoverse_ns.evaluation.results.provenance.package_facts`.
        machine: See :func:`~neoverse_ns.evaluation.results.provenance.machine_facts`.
        seed: Of everything random.
        settings: Beyond those of methods, what values depend on.
        weights: SHA-256 of the files of weights that metrics use.
        unmeasured: Metrics that cannot be measured here, and why.
        methods: In the order that they were asked for.
        common_ate: Of solvers of cameras, by scene and method: position error over the frames that all of them placed.
    """

    alias: str
    protocol: dict[str, Any]
    scenes: list[str]
    missing: list[str]
    data: dict[str, Any]
    package: dict[str, Any]
    machine: dict[str, Any]
    seed: int
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, str] = field(default_factory=dict)
    unmeasured: dict[str, str] = field(default_factory=dict)
    methods: list[MethodRun] = field(default_factory=list)
    common_ate: dict[str, dict[str, float]] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """What JSON can hold; NaN and infinities become None."""
        return {"format": FORMAT, **plain(dataclasses.asdict(self))}

    @classmethod
    def from_plain(cls, stored: dict[str, Any]) -> RunFile:
        """The inverse of :meth:`to_plain`; what is derived from the rest (means) is left out.

        Raises:
            KeyError, TypeError: It is something else.
        """
        if stored["format"] != FORMAT:
            raise KeyError("format")
        own = {one.name for one in dataclasses.fields(cls)}
        methods = []
        for run in stored["methods"]:
            scenes = [SceneResult(**scene) for scene in run["scenes"]]
            known = {key: run[key] for key in ("method", "id", "solver", "settings", "weights")}
            methods.append(MethodRun(**known, scenes=scenes))
        values: dict[str, Any] = {key: value for key, value in stored.items() if key in own}
        values["methods"], values["common_ate"] = methods, {}
        return cls(**values)
