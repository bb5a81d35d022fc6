"""Tables and JSON of the benchmark."""

from __future__ import annotations

import json
import math

from _benchmark.protocols import Protocol, choose_images, geometry_protocol, held_out_protocol
from _benchmark.report import describe_machine, plain, to_markdown

ROWS = [
    {"clip": "a", "geometry": {"solved": 16, "frames": 16, "ate_percent_of_path": 0.2, "focal_error_percent": -10.0}},
    {"clip": "b", "geometry": {"solved": 15, "frames": 16, "ate_percent_of_path": 0.6, "focal_error_percent": 10.0}},
    {"clip": "c", "baselines": {"repeat_previous": {"psnr": 20.04}, "flow_interpolation": {"psnr": math.inf}}},
    {"clip": "d", "error": "d: the file is empty"},
]

GEOMETRY = geometry_protocol(2.0, 3.0)


def test_table_has_values_summaries_and_failures() -> None:
    text = to_markdown(ROWS, {"seed": 3})
    assert "- seed: 3" in text
    assert "| clip | solved | of | ATE % of path | focal error % |" in text
    assert "| a | 16 | 16 | 0.20 | -10.0 |" in text
    # The median of errors of -10 % and 10 % is an error of 10 %, not 0.
    assert "| **median** |  |  | 0.40 | 10.0 |" in text
    assert "| c | 20.0 |" in text
    assert "Unseen right camera" not in text
    assert "- d: d: the file is empty" in text
    assert "nan" not in text.lower()


def test_json_holds_no_nan() -> None:
    value = plain({"a": math.nan, "b": [1.5, (math.inf, "x")], 3: None})
    assert json.loads(json.dumps(value, allow_nan=False)) == {"a": None, "b": [1.5, [None, "x"]], "3": None}


def test_machine_is_described() -> None:
    machine = plain(describe_machine())
    assert json.dumps(machine, allow_nan=False)
    assert machine["cores"] >= 1
    assert machine["versions"]["torch"]


def test_window_fits_the_video() -> None:
    protocol = Protocol("x", start=2.0, duration=3.0, num_frames=16)
    assert protocol.window(15.0) == (2.0, 3.0)
    assert protocol.window(5.1) == (0.0, 3.0)
    assert protocol.window(1.0) == (0.0, 3.0)


def test_held_out_takes_the_first_images() -> None:
    protocol = held_out_protocol(2.0, 3.0, 25)
    assert list(choose_images("street_stereo", 51, protocol)) == list(range(25))
    assert list(choose_images("unknown", 10, protocol)) == list(range(10))


def test_chosen_images_are_even_and_within_the_folder() -> None:
    assert list(choose_images("street_stereo", 51, GEOMETRY)) == list(range(0, 48, 2))
    assert list(choose_images("moving_hand", 86, GEOMETRY))[-1] == 84
    assert list(choose_images("unknown", 10, GEOMETRY)) == list(range(10))
    many = list(choose_images("unknown", 200, GEOMETRY))
    assert (many[0], many[-1], len(set(many))) == (0, 199, 24)
