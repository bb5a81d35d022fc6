"""One table of protocols: aliases, ids, and whose figures may stand beside ours."""

from __future__ import annotations

import dataclasses
import re
from unittest.mock import patch

import pytest

from neoverse_ns.errors import SettingsError
from neoverse_ns.evaluation.data.registry import BENCHMARK_DATA, benchmark_data
from neoverse_ns.evaluation.protocol import aliases
from neoverse_ns.evaluation.protocol.aliases import protocol, protocols, published, published_under
from neoverse_ns.evaluation.protocol.describe import overview, protocols_markdown
from neoverse_ns.evaluation.results.means import RULES
from tests.evaluation.stand_ins import GREY, grey_world

ALIAS = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*@[1-9][0-9]*")
ID = re.compile(r"[^/]+(/[^/]+){6}")


def test_every_protocol_is_whole() -> None:
    for alias, one in protocols().items():
        assert ALIAS.fullmatch(alias), alias
        full = one.full_id("bundle")
        assert ID.fullmatch(full), full
        assert full == full.lower()
        assert full.endswith(f"/r{one.revision}")
        assert one.tables in RULES, alias
        assert len(set(one.metrics)) == len(one.metrics) > 0
        assert one.data in BENCHMARK_DATA, f"{alias}: no reader of {one.data}"
        assert protocol(alias) is one


def test_ids_differ_wherever_protocols_do() -> None:
    ids = [one.full_id("bundle") for one in protocols().values()]
    assert len(set(ids)) == len(ids)


def test_every_layout_says_where_it_is_had() -> None:
    for name in BENCHMARK_DATA:
        data = benchmark_data(name)
        assert data.title
        assert data.origin
        assert data.licence


def test_published_figures_belong_to_protocols_that_there_are() -> None:
    for row in published():
        assert (row.alias or row.near) in protocols(), row
        assert not (row.alias and row.near), row
        if row.alias:
            assert set(row.values) <= set(protocols()[row.alias].metrics), row


def test_a_protocol_by_alias_and_by_id() -> None:
    with grey_world():
        assert protocol("grey@1") is GREY
        assert protocol(GREY.full_id("anybody", ["one"])) is GREY
        other = GREY.full_id("bundle").replace("64x48", "32x24")
        with pytest.raises(SettingsError, match="no protocol"):
            protocol(other)
        with pytest.raises(SettingsError, match=r"no protocol 'grey'; did you mean grey@1\?"):
            protocol("grey")
        assert GREY.full_id("Bundle", ["two", "one"]) == (
            "grey-2[one+two]/t0:4:2>t1:4:2/predict-all(bundle)/plain/64x48/psnr+lpips-vgg/r1"
        )


def test_two_of_one_name_are_refused() -> None:
    twice = type("Twice", (), {"PROTOCOLS": (GREY, dataclasses.replace(GREY, size="1x"))})
    # Undone before the world that it replaces is.
    with grey_world(), patch.object(aliases, "_modules", lambda: [twice]):
        protocols.cache_clear()
        with pytest.raises(SettingsError, match="two protocols are called grey@1"):
            protocols()


def test_figures_of_other_protocols_are_kept_apart() -> None:
    with grey_world():
        own, others = published_under("grey@1")
        assert [row.method for row in own] == ["Somebody"]
        assert [row.method for row in others] == ["Somebody else"]
        assert overview() == [f"grey@1  views    {GREY.full_id('SOLVER')}"]
        text = protocols_markdown()
    assert "### Grey pictures (`grey`)\n\nOrigin: Made by the tests. Licence: None." in text
    assert "| Of no meaning; the camera solver sees judged pictures |" in text
    assert "| Somebody (their table 1) | 12.5 | `grey@1` |" in text
    assert "| Somebody else (their table 2) | 30 | other protocol |" in text
