"""The scripts that draw pictures of a run, on the run that ns-train made."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from tests.e2e.conftest import HEIGHT, HELD_OUT, WIDTH, TrainedRun

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
GAP, HEADER = 4, 20


def test_show_views_draws_a_strip_of_the_run(run: TrainedRun) -> None:
    written = run.shell.folder / "strip.png"
    run.shell.succeed("python", SCRIPTS / "show_views.py", run.folder, written, "--rows", "3")
    page = cv2.imread(str(written))[:, :, ::-1].astype(np.float32)
    assert page.shape == (HEADER + 3 * HEIGHT + 2 * GAP, 6 * WIDTH + 5 * GAP, 3)
    for place, frame in enumerate(HELD_OUT):
        top = HEADER + place * (HEIGHT + GAP)
        cells = [page[top : top + HEIGHT, x : x + WIDTH] for x in range(0, page.shape[1], WIDTH + GAP)]
        truth, drawn, _, depth, left, right = cells
        # Only the codec lies between the clip and what was sampled of it.
        assert np.abs(truth - run.frames[frame]).mean() < 4
        assert np.abs(drawn - truth).mean() < 20
        assert depth.std() > 10
        # The sides show the same scene from elsewhere.
        for side in (left, right):
            assert 0.5 < np.abs(side - drawn).mean() < 60
        assert np.abs(left - right).mean() > 0.5
