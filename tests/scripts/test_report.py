"""Tables and JSON of the benchmark."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from _benchmark.columns import COLMAP_SECTIONS, SECTIONS
from _benchmark.report import describe_machine, plain, rows_of_others, to_markdown, write_report

from neoverse_ns.errors import ClipError
from neoverse_ns.evaluation.data.clips.windows import ClipWindow, choose_images, geometry_window, held_out_window

ROWS = [
    {"clip": "a", "geometry": {"solved": 16, "frames": 16, "ate_percent_of_path": 0.2, "focal_error_percent": -10.0}},
    {"clip": "b", "geometry": {"solved": 15, "frames": 16, "ate_percent_of_path": 0.6, "focal_error_percent": 10.0}},
    {"clip": "c", "baselines": {"repeat_previous": {"psnr": 20.04}, "flow_interpolation": {"psnr": math.inf}}},
    {"clip": "d", "error": "d: the file is empty"},
]

GEOMETRY = geometry_window(2.0, 3.0)


def test_table_has_values_summaries_and_failures() -> None:
    text = to_markdown(ROWS, {"seed": 3}, SECTIONS)
    assert "- seed: 3" in text
    assert "| clip | solved | of | ATE % of path | focal error % |" in text
    assert "| a | 16 | 16 | 0.20 | -10.0 |" in text
    # The median of errors of -10 % and 10 % is an error of 10 %, not 0.
    assert "| **median** |  |  | 0.40 | 10.0 |" in text
    assert "| c | 20.0 |" in text
    assert "Unseen right camera" not in text
    assert "- d: d: the file is empty" in text
    assert "nan" not in text.lower()


def test_truths_about_a_clip_are_words_and_notes() -> None:
    row = {"clip": "a", "notes": ["half of it is dark"], "geometry": {"unsolved": 0, "all_finite": False}}
    text = to_markdown([row], {}, SECTIONS)
    assert "| clip | unsolved | all finite |" in text
    assert "| a | 0 | no |" in text
    assert "## Notes\n\n- a: half of it is dark\n" in text
    assert "Failed" not in text


def test_a_solver_that_gave_up_has_seconds_but_no_errors() -> None:
    ours = {"frames": 16, "solved": 16, "ate_percent_of_path": 0.2, "seconds": 4.0}
    row = {"clip": "a", "ours": ours, "colmap": {"frames": 16, "solved": 0, "seconds": 22.0}}
    text = to_markdown([row], {}, COLMAP_SECTIONS, "Both")
    assert text.startswith("# Both\n")
    assert "| clip | of | ours solved | COLMAP solved | ours ATE % of path |" in text
    assert "| a | 16 | 16 | 0 | 0.20 |" in text
    assert "| a | 4.0 | 22.0 |" in text


def test_report_is_written_where_asked(tmp_path: Path) -> None:
    write_report([{"clip": "a", "x": math.nan}], {"seed": 3}, "# Words\n", tmp_path / "new" / "a.json", None)
    assert json.loads((tmp_path / "new" / "a.json").read_text()) == {
        "header": {"seed": 3},
        "clips": [{"clip": "a", "x": None}],
    }
    write_report([], {}, "# Words\n", None, tmp_path / "a.md")
    assert (tmp_path / "a.md").read_text() == "# Words\n"


def test_json_holds_no_nan() -> None:
    value = plain({"a": math.nan, "b": [1.5, (math.inf, "x")], 3: None})
    assert json.loads(json.dumps(value, allow_nan=False)) == {"a": None, "b": [1.5, [None, "x"]], "3": None}


def test_machine_is_described() -> None:
    machine = plain(describe_machine())
    assert json.dumps(machine, allow_nan=False)
    assert machine["cores"] >= 1
    assert machine["versions"]["torch"]


def test_window_fits_the_video() -> None:
    protocol = ClipWindow("x", start=2.0, duration=3.0, num_frames=16)
    assert protocol.window(15.0) == (2.0, 3.0)
    assert protocol.window(5.1) == (0.0, 3.0)
    assert protocol.window(1.0) == (0.0, 3.0)


def test_frames_and_seconds_of_the_geometry_are_named() -> None:
    protocol = geometry_window(6.0, 10.0, 81)
    assert protocol.name == "geometry: 81 frames, seconds 6-16"
    assert (protocol.start, protocol.duration, protocol.num_frames) == (6.0, 10.0, 81)
    assert GEOMETRY.num_frames == 16


def test_held_out_takes_the_first_images() -> None:
    protocol = held_out_window(2.0, 3.0, 25)
    assert list(choose_images("street_stereo", 51, protocol)) == list(range(25))
    assert list(choose_images("unknown", 10, protocol)) == list(range(10))


def test_chosen_images_are_even_and_within_the_folder() -> None:
    assert list(choose_images("street_stereo", 51, GEOMETRY)) == list(range(0, 48, 2))
    assert list(choose_images("moving_hand", 86, GEOMETRY))[-1] == 84
    assert list(choose_images("unknown", 10, GEOMETRY)) == list(range(10))
    many = list(choose_images("unknown", 200, GEOMETRY))
    assert (many[0], many[-1], len(set(many))) == (0, 199, 24)


def test_a_report_is_added_to(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert rows_of_others(file, ["a"]) == []
    write_report([{"clip": "a", "x": 1.0}, {"clip": "b", "x": 2.0}], {}, "", file, None)
    assert rows_of_others(file, ["a"]) == [{"clip": "b", "x": 2.0}]
    file.write_text("[1]", "utf8")
    with pytest.raises(ClipError, match=r"report\.json"):
        rows_of_others(file, ["a"])
