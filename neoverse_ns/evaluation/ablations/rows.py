"""The rows of the paper's tables, as settings of the method that anybody may use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.methods.method_text import parse_method

GENERATOR = "internal"
"""Who refines in rows with generation, where the method itself does not say."""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        name: On the command line.
        title: In tables.
        settings: What differs from the method that is ablated, as in `ours:key=value`.
        against: Name of the row that has all, which this one is compared with; itself for that row.
        needs: Setting that the method must have, since the row changes nothing without it; "" for none.
        timed: Its seconds are what it is about.
    """

    name: str
    title: str
    settings: Mapping[str, str] = field(default_factory=dict)
    against: str = "reconstruction"
    needs: str = ""
    timed: bool = False

    def method(self, base: str, generator: str = GENERATOR) -> str:
        """The method's text with this row's settings in the place of its own.

        Args:
            base: The method that is ablated.
            generator: Who refines in rows with generation.
        """
        name, settings = parse_method(base)
        settings.pop("refiner", None)
        settings |= {key: generator if value == "GENERATOR" else value for key, value in self.settings.items()}
        return name + (":" + ",".join(f"{key}={value}" for key, value in settings.items()) if settings else "")


def _keyframes(count: int) -> Row:
    return Row(
        f"keyframes-{count}",
        f"{count} keyframes",
        {"keyframes": str(count), "refiner": "GENERATOR"},
        "generation",
        timed=True,
    )


_REFINED = "steps"

ROWS: dict[str, Row] = {
    row.name: row
    for row in (
        Row("no-opacity", "w/o opacity regularisation", {"opacity": "0"}, needs=_REFINED),
        Row("forward-motion", "w/o bidirectional motion", {"motion": "forward"}),
        Row("static", "static velocities", {"motion": "none"}),
        Row("reconstruction", "reconstruction"),
        Row("generation", "with generation", {"refiner": "GENERATOR"}, "generation"),
        Row(
            "clean-generation",
            "w/o degradation simulation",
            {"refiner": "GENERATOR", "degradation": "False"},
            "generation",
        ),
        Row("nearest", "nearest keyframe alone drawn", {"nearest": "True"}),
        *(_keyframes(count) for count in (11, 21, 41, 81)),
    )
}
"""By name, in the paper's order; `static` and `nearest` are ours."""


def within_inputs(rows: Sequence[Row], inputs: int) -> list[Row]:
    """Rows of which none claims more keyframes than there are inputs: such are one row, named by all of them.

    Args:
        rows: In order.
        inputs: Of the scene that has the most.
    """
    found: dict[str, Row] = {}
    for row in rows:
        if int(row.settings.get("keyframes", 0)) > inputs:
            fewer = _keyframes(inputs)
            row = replace(fewer, title=f"{inputs} keyframes (all inputs)")
        found.setdefault(row.name, row)
    return list(found.values())


def chosen_rows(names: Sequence[str], base: str, generator: str = GENERATOR) -> list[Row]:
    """Rows in the paper's order, with those that they are compared with.

    Args:
        names: Those wanted; empty for all but the timed ones.
        base: The method that is ablated.
        generator: Who refines in rows with generation.

    Raises:
        SettingsError: There is no such row, it would change nothing of this method, or the method has no such parts.
    """
    if parse_method(base)[0] != "ours":
        raise SettingsError(f"--method {base}: rows leave out parts of this package's method, which is ours")
    unknown = [name for name in names if name not in ROWS]
    if unknown:
        raise SettingsError(f"there is no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    wanted = set(names) or {row.name for row in ROWS.values() if not row.timed}
    _, settings = parse_method(base)
    if settings.get("steps") == "0":
        idle = {name for name in wanted if ROWS[name].needs == _REFINED}
        if idle & set(names):
            raise SettingsError(
                f"{', '.join(sorted(idle))} changes the loss of photometric optimisation, and '{base}' has none: give "
                "it steps, or leave the row out"
            )
        wanted -= idle
    taught = {name for name in wanted if "degradation" in ROWS[name].settings}
    if taught and generator != GENERATOR:
        if taught & set(names):
            raise SettingsError(
                f"{', '.join(sorted(taught))} changes how the refiner {GENERATOR} is taught, and {generator} is not "
                "taught here: leave the row out"
            )
        wanted -= taught
    wanted |= {ROWS[name].against for name in wanted}
    return [row for row in ROWS.values() if row.name in wanted]
