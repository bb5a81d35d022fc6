"""Protocols in words, made of the table itself: for the command line and the documentation."""

from __future__ import annotations

from collections.abc import Iterator

from neoverse_ns.evaluation.data.registry import BENCHMARK_DATA, benchmark_data
from neoverse_ns.evaluation.placing.place import looks_at_targets
from neoverse_ns.evaluation.protocol.aliases import protocols, published_under
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import OTHER_PROTOCOL, Published

_LOOKS = "the camera solver sees judged pictures"


def overview() -> list[str]:
    """A line a protocol: alias, what is asked, id."""
    known = protocols()
    width = max((len(alias) for alias in known), default=0)
    return [f"{alias:{width}}  {one.kind:7}  {one.full_id('SOLVER')}" for alias, one in known.items()]


def protocols_markdown() -> str:
    """A section a layout of data: origin, licence, protocols, and what others published."""
    sections = []
    known = protocols().values()
    for layout in dict.fromkeys(protocol.data for protocol in known):
        sections += ["", *_layout(layout), *_table([one for one in known if one.data == layout])]
        for one in known:
            if one.data == layout:
                sections += _published(one)
    return "\n".join(sections).strip() + "\n"


def _layout(name: str) -> Iterator[str]:
    if name not in BENCHMARK_DATA:
        yield from (f"### {name}", "")
        return
    data = benchmark_data(name)
    origin, licence = data.origin.rstrip("."), data.licence.rstrip(".")
    yield from (f"### {data.title} (`{name}`)", "", f"Origin: {origin}. Licence: {licence}.", "")


def _table(protocols: list[Protocol]) -> Iterator[str]:
    yield "| alias | asks for | id | note |"
    yield "|---|---|---|---|"
    for one in protocols:
        notes = [one.note.rstrip(".")] if one.note else []
        notes += [_LOOKS] if looks_at_targets(one.cameras, one.tto) else []
        yield f"| `{one.alias}` | {one.kind} | `{one.full_id('SOLVER')}` | {_sentence('; '.join(notes))} |"


def _published(protocol: Protocol) -> list[str]:
    own, others = published_under(protocol.alias)
    if not own and not others:
        return []
    metrics = list(dict.fromkeys(metric for row in (*own, *others) for metric in row.values))
    lines = ["", f"Published, beside `{protocol.alias}`:", "", "| method | " + " | ".join(metrics) + " | protocol |"]
    lines.append("|---|" + "---:|" * len(metrics) + "---|")
    return lines + [_row(row, metrics) for row in (*own, *others)]


def _row(row: Published, metrics: list[str]) -> str:
    cells = [f"{row.values[metric]:g}" if metric in row.values else "–" for metric in metrics]
    protocol = f"`{row.alias}`" if row.alias else OTHER_PROTOCOL
    note = f"; {row.note}" if row.note else ""
    return f"| {row.method} ({row.source}{note}) | {' | '.join(cells)} | {protocol} |"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]
