"""Presets and trajectory files against the numbers of the release, and errors that name the field."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from neoverse_ns.errors import SettingsError
from neoverse_ns.geometry.cameras import PinholeCameras
from neoverse_ns.geometry.se3 import se3_exp, so3_exp
from neoverse_ns.trajectory.files import CameraMove, load_move, parse_move, preset_move, to_document
from neoverse_ns.trajectory.presets import MOVES, MoveSize, end_pose, preset
from tests.fixtures.published import FOLDERS, find, read_arrays

EYE = torch.eye(4, dtype=torch.float64)


@pytest.mark.parametrize("folder", FOLDERS)
def test_presets_reproduce_the_release(folder):
    seen = set()
    for key, published in read_arrays(folder, "trajectories").items():
        _, name, count, *options = key.split(".", 3)
        size = MoveSize()
        if options:
            assert options == ["angle30.distance0.4.radius0.7"]
            size = MoveSize(angle=30.0, distance=0.4, orbit_radius=0.7)
        ours = preset(name, int(count[1:]), size)
        np.testing.assert_allclose(ours.numpy(), published.whole, atol=1e-5, rtol=0)
        seen.add(name)
    assert seen == set(MOVES)
    assert len(MOVES) == 13


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize(
    ("file", "array", "mode", "zoom"),
    [("trajectory_keyframes_a.json", "keyframes_a", "relative", 1.0),
     ("trajectory_matrices_a.json", "matrices_a", "global", 1.5)],
)  # fmt: skip
def test_files_reproduce_the_release(file, array, mode, zoom, folder):
    move = load_move(find(folder, file))
    published = read_arrays(folder, "trajectories_json")[array].whole
    np.testing.assert_allclose(move.c2w.numpy(), published, atol=1e-5, rtol=0)
    assert (move.mode, move.zoom_ratio) == (mode, zoom)


@pytest.mark.parametrize(
    ("name", "looks", "goes"),
    [("pan_left", (-1, 0), (0, 0, 0)), ("pan_right", (1, 0), (0, 0, 0)),
     ("tilt_up", (0, -1), (0, 0, 0)), ("tilt_down", (0, 1), (0, 0, 0)),
     ("move_left", (0, 0), (-1, 0, 0)), ("move_right", (0, 0), (1, 0, 0)),
     ("push_in", (0, 0), (0, 0, 1)), ("pull_out", (0, 0), (0, 0, -1)),
     ("boom_up", (0, 0), (0, -1, 0)), ("boom_down", (0, 0), (0, 1, 0)),
     ("orbit_left", (1, 0), (-1, 0, 1)), ("orbit_right", (-1, 0), (1, 0, 1)),
     ("static", (0, 0), (0, 0, 0))],
)  # fmt: skip
def test_every_move_goes_where_its_name_says(name, looks, goes):
    pose = end_pose(name)
    forward = pose[:3, 2]
    assert torch.sign(forward[:2].round(decimals=9)).tolist() == list(looks)
    assert torch.sign(pose[:3, 3].round(decimals=9)).tolist() == list(goes)


def test_orbits_keep_their_centre_in_the_middle_of_the_view():
    centre = torch.tensor([0, 0, 2.5, 1], dtype=torch.float64)
    for name in ("orbit_left", "orbit_right"):
        seen = torch.linalg.inv(end_pose(name, MoveSize(angle=40.0, orbit_radius=2.5))) @ centre
        torch.testing.assert_close(seen, centre, atol=1e-12, rtol=0)


def test_unknown_moves_and_empty_paths_are_refused():
    with pytest.raises(SettingsError, match="orbit_left"):
        preset("orbit", 5)
    with pytest.raises(SettingsError, match="at least one frame"):
        preset("static", 0)
    torch.testing.assert_close(preset("push_in", 1), EYE[None])


def test_keyframe_defaults_differ_from_preset_defaults():
    document = {"num_frames": 2, "keyframes": [{"0": []}, {"1": [{"orbit_left": {}}, {"boom_down": None}]}]}
    move = parse_move(document)
    expected = end_pose("orbit_left", MoveSize(angle=30.0, orbit_radius=0.5)) @ end_pose("boom_down")
    torch.testing.assert_close(move.c2w[1], expected)


def test_files_survive_a_round_trip(tmp_path):
    torch.manual_seed(0)
    move = CameraMove("wild", se3_exp(torch.randn(6, 6, dtype=torch.float64)), "global", 0.8, True, "a test")
    (tmp_path / "wild.json").write_text(json.dumps(to_document(move)))
    back = load_move(tmp_path / "wild.json")
    torch.testing.assert_close(back.c2w, move.c2w, atol=1e-12, rtol=0)
    assert (back.name, back.mode, back.zoom_ratio, back.use_first_frame, back.description) == (
        "wild", "global", 0.8, True, "a test",
    )  # fmt: skip


def test_matrices_may_lie_in_an_npz_beside_the_file(tmp_path):
    poses = preset("orbit_left", 4)[[0, 1, 3]].numpy()
    np.savez(tmp_path / "poses.npz", frame_indices=np.array([0, 1, 3]), frame_matrices=poses.astype(np.float32))
    document = {"num_frames": 4, "trajectory": {"file": "poses.npz"}}
    (tmp_path / "t.json").write_text(json.dumps(document))
    move = load_move(tmp_path / "t.json")
    torch.testing.assert_close(move.c2w, preset("orbit_left", 4), atol=1e-6, rtol=0)
    assert move.name == "t"


def write_poses(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, frame_indices=np.array([0, 1]), frame_matrices=preset("push_in", 2).numpy())


def test_arrays_are_read_from_the_documents_own_folder_alone(tmp_path):
    folder = tmp_path / "mine"
    for path in (folder / "deep" / "p.npz", folder / "p.npz", tmp_path / "p.npz", tmp_path / "mine too" / "p.npz"):
        write_poses(path)
    (folder / "out.npz").symlink_to(tmp_path / "p.npz")
    (folder / "linked").symlink_to(tmp_path / "mine too")
    (folder / "in.npz").symlink_to(folder / "deep" / "p.npz")
    for name in ("p.npz", "deep/p.npz", "./deep/../p.npz", "in.npz"):
        (folder / "t.json").write_text(json.dumps({"num_frames": 2, "trajectory": {"file": name}}))
        torch.testing.assert_close(load_move(folder / "t.json").c2w, preset("push_in", 2))
    outside = ("../p.npz", "deep/../../p.npz", str(tmp_path / "p.npz"), str(folder / "p.npz"), "out.npz",
               "linked/p.npz", "../mine too/p.npz", "..", "p.npz\0")  # fmt: skip
    for name in outside:
        (folder / "t.json").write_text(json.dumps({"num_frames": 2, "trajectory": {"file": name}}))
        with pytest.raises(SettingsError, match=r"'trajectory\.file'.*beside the trajectory's") as raised:
            load_move(folder / "t.json")
        assert "\n" not in str(raised.value)


def test_the_releases_own_example_is_found_from_the_working_directory(tmp_path, monkeypatch):
    folder = tmp_path / "examples" / "trajectories"
    write_poses(folder / "custom.npz")
    document = {"num_frames": 2, "trajectory": {"file": "examples/trajectories/custom.npz"}}
    (folder / "custom.json").write_text(json.dumps(document))
    (tmp_path / "copy.json").write_text(json.dumps(document))
    monkeypatch.chdir(tmp_path)
    for path in (Path("examples/trajectories/custom.json"), folder / "custom.json", tmp_path / "copy.json"):
        torch.testing.assert_close(load_move(path).c2w, preset("push_in", 2))
    monkeypatch.chdir(folder)
    with pytest.raises(SettingsError, match=r"trajectory\.file"):
        load_move(folder / "custom.json")
    # Only this entry is looked for there, and only as a file of that folder.
    monkeypatch.chdir(tmp_path)
    write_poses(folder / "other.npz")
    document["trajectory"]["file"] = "examples/trajectories/other.npz"
    (folder / "custom.json").write_text(json.dumps(document))
    with pytest.raises(SettingsError, match=r"trajectory\.file"):
        load_move(folder / "custom.json")
    document["trajectory"]["file"] = "examples/trajectories/custom.npz"
    (folder / "custom.json").write_text(json.dumps(document))
    write_poses(tmp_path.parent / "elsewhere.npz")
    (folder / "custom.npz").unlink()
    (folder / "custom.npz").symlink_to(tmp_path.parent / "elsewhere.npz")
    with pytest.raises(SettingsError, match="is a link"):
        load_move(folder / "custom.json")


def test_following_a_clip_relative_and_global():
    torch.manual_seed(0)
    c2w, times = se3_exp(torch.randn(3, 6)), torch.tensor([0.0, 0.25, 1.0])
    K = torch.tensor([[100.0, 0, 32], [0, 110, 24], [0, 0, 1]]).repeat(3, 1, 1)
    K[2, :2, :2] *= 1.5
    clip = PinholeCameras(c2w, K, 64, 48)
    relative = preset_move("push_in", 3)
    bound = relative.follow(clip, times)
    torch.testing.assert_close(bound.c2w, c2w.double() @ relative.c2w)
    torch.testing.assert_close(bound.times, times.double())
    longer = preset_move("push_in", 5).follow(clip, times)
    assert longer.times.tolist() == [0, 0.125, 0.25, 0.625, 1]
    torch.testing.assert_close(longer.c2w[2], c2w[1].double() @ preset("push_in", 5)[2])
    world = CameraMove("g", relative.c2w, "global", zoom_ratio=2.0).follow(clip, times)
    torch.testing.assert_close(world.c2w, relative.c2w)
    # The lens is the clip's own at every moment, times the zoom.
    assert world.K[:, 0, 0].tolist() == [100, 150, 300]
    assert world.K[2].tolist() == [[300, 0, 32], [0, 330, 24], [0, 0, 1]]
    assert longer.K[:, 0, 0].tolist() == [100, 100, 100, 125, 150]
    still = preset_move("static", 4).follow(clip[:1], times[:1])
    torch.testing.assert_close(still.c2w, c2w[:1].double().expand(4, 4, 4))


def matrices(*poses: torch.Tensor) -> dict:
    return {"frame_indices": list(range(len(poses))), "frame_matrices": [p.tolist() for p in poses]}


BAD = [
    ({"num_frames": 2}, "either 'keyframes' or 'trajectory'"),
    ({"keyframes": [], "trajectory": {}}, "either 'keyframes' or 'trajectory'"),
    ({"num_frames": 1.5, "keyframes": []}, "'num_frames'"),
    ({"num_frames": True, "keyframes": []}, "'num_frames'"),
    ({"num_frames": 10**9, "keyframes": []}, "'num_frames'"),
    ({"mode": "absolute", "keyframes": []}, "'mode'"),
    ({"mode": 3, "keyframes": []}, "'mode'"),
    ({"keyframes": {}}, "'keyframes' must be a list"),
    ({"keyframes": []}, "'keyframes' needs at least 2"),
    ({"num_frames": 3, "keyframes": [{"0": []}, {"1": []}]}, "end at num_frames - 1 = 2"),
    ({"num_frames": 3, "keyframes": [{"1": []}, {"2": []}]}, "begin at 0"),
    ({"num_frames": 3, "keyframes": [{"0": []}, {"2": []}, {"1": []}]}, "ascend"),
    ({"num_frames": 3, "keyframes": [{"0": []}, {"7": []}]}, r"keyframes\[1\] frame"),
    ({"num_frames": 3, "keyframes": [{"0": []}, {"two": []}]}, r"keyframes\[1\]"),
    ({"num_frames": 3, "keyframes": [{"0": []}, {"9" * 5000: []}]}, r"keyframes\[1\]"),
    ({"num_frames": 3, "keyframes": [{"0": [], "1": []}]}, r"keyframes\[0\]"),
    ({"num_frames": 3, "keyframes": [{"0": [{"fly": {}}]}]}, r"keyframes\[0\]\.0\[0\].*'fly'"),
    ({"num_frames": 3, "keyframes": [{"0": [{"pan_left": {"angel": 3}}]}]}, r"pan_left\.angel"),
    ({"num_frames": 3, "keyframes": [{"0": [{"pan_left": {"angle": "3"}}]}]}, r"pan_left\.angle"),
    ({"num_frames": 3, "keyframes": [{"0": [{"pan_left": {"angle": math.nan}}]}]}, r"pan_left\.angle"),
    ({"num_frames": 3, "keyframes": [{"0": [{"pan_left": {"angle": 10**400}}]}]}, r"pan_left\.angle"),
    ({"trajectory": []}, "'trajectory' must be an object"),
    ({"trajectory": {}}, r"'trajectory\.frame_indices'"),
    ({"num_frames": 2, "trajectory": {"frame_indices": [0], "frame_matrices": []}}, "1 frame_indices but 0"),
    ({"num_frames": 2, "trajectory": matrices(EYE, 2 * EYE)}, r"frame_matrices\[1\]"),
    ({"num_frames": 2, "trajectory": matrices(EYE, EYE[:3])}, r"frame_matrices\[1\]' must be a 4x4"),
    ({"num_frames": 2, "trajectory": matrices(torch.diag(torch.tensor([1.0, 1, -1, 1])), EYE)}, "mirroring"),
    ({"num_frames": 2, "trajectory": {"file": "absent.npz"}}, r"trajectory\.file.*absent\.npz"),
    ({"num_frames": 2, "zoom_ratio": 0, "trajectory": matrices(EYE, EYE)}, "'zoom_ratio'"),
    ({"num_frames": 2, "use_first_frame": 1, "trajectory": matrices(EYE, EYE)}, "'use_first_frame'"),
    ({"num_frames": 2, "name": 5, "trajectory": matrices(EYE, EYE)}, "'name'"),
]


@pytest.mark.parametrize(("document", "message"), BAD)
def test_bad_documents_name_the_field(document, message):
    with pytest.raises(SettingsError, match=message):
        parse_move(document)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"a": 1', "\x00", "[" * 100000])
def test_files_that_are_no_document_are_named(tmp_path, text):
    path = tmp_path / "bad.json"
    path.write_text(text)
    with pytest.raises(SettingsError, match=r"bad\.json"):
        load_move(path)


def test_missing_and_binary_files_are_named(tmp_path):
    with pytest.raises(SettingsError, match=r"absent\.json"):
        load_move(tmp_path / "absent.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match=r"bytes\.json"):
        load_move(tmp_path / "bytes.json")


def test_npz_files_of_other_content_are_refused(tmp_path):
    np.savez(tmp_path / "lacking.npz", frame_indices=np.arange(2))
    np.savez(tmp_path / "shape.npz", frame_indices=np.arange(2), frame_matrices=np.zeros((2, 3, 4)))
    np.savez(tmp_path / "kind.npz", frame_indices=np.array(["a", "b"]), frame_matrices=np.zeros((2, 4, 4)))
    np.savez(tmp_path / "nan.npz", frame_indices=np.arange(2), frame_matrices=np.full((2, 4, 4), np.nan))
    np.save(tmp_path / "plain.npy", np.zeros(3))
    (tmp_path / "text.npz").write_text("hello")
    for name in ("lacking.npz", "shape.npz", "kind.npz", "nan.npz", "plain.npy", "text.npz"):
        with pytest.raises(SettingsError, match=r"trajectory\.file|frame_matrices"):
            parse_move({"num_frames": 2, "trajectory": {"file": name}}, tmp_path)


def test_fields_without_a_meaning_are_pointed_out(capsys):
    parse_move({"num_frames": 2, "zoom": 2, "trajectory": matrices(EYE, EYE)})
    assert "zoom" in capsys.readouterr().out


def test_rounded_rotations_come_out_orthonormal():
    R = so3_exp(torch.tensor([0.3, 0.2, -0.4], dtype=torch.float64))
    pose = EYE.clone()
    pose[:3, :3] = R.mul(1e5).round() / 1e5
    move = parse_move({"num_frames": 2, "trajectory": matrices(EYE, pose)})
    torch.testing.assert_close(move.c2w[1, :3, :3] @ move.c2w[1, :3, :3].T, EYE[:3, :3], atol=1e-12, rtol=0)
