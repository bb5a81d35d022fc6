"""Tracks as arrays and as pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neoverse_ns.applications.track.files import arrays, tapvid_arrays, write_arrays
from neoverse_ns.applications.track.pictures import draw_tracks
from tests.applications.track.made_tracks import COUNT, HEIGHT, WIDTH, made_tracks

GREY = torch.full((COUNT, HEIGHT, WIDTH, 3), 90, dtype=torch.uint8)


def test_tapvid_s_arrays_say_where_points_are(tmp_path: Path) -> None:
    tracks = made_tracks()
    write_arrays(tmp_path / "t.npz", tapvid_arrays(tracks, GREY))
    with np.load(tmp_path / "t.npz", allow_pickle=False) as file:
        found = {name: file[name] for name in file.files}
    fx, fy, cx, cy = found["fx_fy_cx_cy"]
    xyz = found["tracks_XYZ"]
    assert xyz.shape == (COUNT, 2, 3)
    uv = np.stack([fx * xyz[..., 0] / xyz[..., 2] + cx, fy * xyz[..., 1] / xyz[..., 2] + cy], -1)
    np.testing.assert_allclose(uv, tracks.uv.numpy(), atol=1e-3)
    world = tracks.world.numpy()
    w2c = found["extrinsics_w2c"]
    np.testing.assert_allclose(np.einsum("nij,npj->npi", w2c[:, :3, :3], world) + w2c[:, None, :3, 3], xyz, atol=1e-5)
    assert found["visibility"].tolist() == tracks.visible.tolist()
    assert found["queries_xyt"][:, 2].tolist() == [0, 2]
    np.testing.assert_allclose(found["queries_xyt"][1, :2], uv[2, 1], atol=1e-3)
    picture = cv2.imdecode(np.frombuffer(found["images_jpeg_bytes"][3], np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert np.abs(picture.astype(int) - 90).max() <= 2


def test_a_zoom_is_said_aloud(capsys: pytest.CaptureFixture) -> None:
    tracks = made_tracks()
    tapvid_arrays(tracks, GREY)
    assert "zooms" not in capsys.readouterr().out
    tracks.cameras.K[3, 0, 0] *= 1.1
    tapvid_arrays(tracks, GREY)
    assert "zooms" in capsys.readouterr().out


def test_all_arrays_are_explained() -> None:
    found = arrays(made_tracks())
    about = str(found["about"])
    named = {name for name in found if name in about}
    assert set(found) - named <= {"version", "about"}
    assert found["tracks_world"].shape == (COUNT, 2, 3)


def test_points_and_their_tails_are_drawn_where_they_are_seen() -> None:
    tracks = made_tracks()
    drawn = draw_tracks(GREY, tracks, tail=2)
    scale = drawn.shape[1] // HEIGHT
    assert drawn.shape == (COUNT, scale * HEIGHT, scale * WIDTH, 3)
    assert scale * WIDTH >= 720

    def coloured(frame: int, uv: torch.Tensor) -> float:
        column, row = (int(v) for v in (uv * scale).tolist())
        patch = drawn[frame, row - 1 : row + 2, column - 1 : column + 2].float()
        return float((patch - 90).abs().mean())

    for frame in range(COUNT):
        assert coloured(frame, tracks.uv[frame, 0]) > 30
        assert (coloured(frame, tracks.uv[frame, 1]) > 30) == (frame != 3)
    # A tail leads to where the point was in the two frames before, and fades; where it was hidden, there is none.
    middle = [(tracks.uv[k, 1] + tracks.uv[k + 1, 1]) / 2 for k in range(COUNT - 1)]
    assert coloured(2, middle[1]) > coloured(2, middle[0]) > 2
    assert coloured(4, middle[3]) == 0
    assert coloured(4, middle[0]) == 0
    # The frame that nothing is on stays as it is.
    assert float((drawn[:, :20].float() - 90).abs().max()) == 0


def test_without_a_tail_there_are_dots_alone() -> None:
    plain, tails = draw_tracks(GREY, made_tracks(), tail=0), draw_tracks(GREY, made_tracks(), tail=4)
    assert torch.equal(plain[0], tails[0])
    assert not torch.equal(plain[2], tails[2])
