"""The pictures at the training cameras are hidden once they stand, and not again."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from neoverse_ns.plugin.viewer import training_cameras
from neoverse_ns.plugin.viewer.training_cameras import hide_training_cameras


class Viewer:
    """What nerfstudio's viewer has to hide, and its two buttons."""

    def __init__(self) -> None:
        self.visible: list[bool] = []
        self.hide_images, self.show_images = SimpleNamespace(visible=True), SimpleNamespace(visible=False)

    def set_camera_visibility(self, visible: bool) -> None:
        self.visible.append(visible)


def test_hidden_as_soon_as_all_stand() -> None:
    viewer = Viewer()
    waiting = hide_training_cameras(viewer)
    waiting.join(0.3)
    assert waiting.is_alive()
    assert viewer.visible == []
    # Nerfstudio sets this at the end of placing them.
    viewer.train_state = "training"  # pyright: ignore
    waiting.join(5)
    assert not waiting.is_alive()
    assert viewer.visible == [False]
    assert (viewer.hide_images.visible, viewer.show_images.visible) == (False, True)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_cameras, "_PATIENCE", 0.2)
    viewer = Viewer()
    waiting = hide_training_cameras(viewer)
    waiting.join(5)
    assert not waiting.is_alive()
    assert viewer.visible == []
    assert viewer.hide_images.visible
