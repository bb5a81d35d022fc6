"""A thing of a run as it was filmed, removed and moved, side by side in a few frames.

python scripts/show_edit.py outputs/demo --thing 1 --output docs/pictures/edit.jpg
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
import tyro
from show_views import find_config

from neoverse_ns.api.runs import load
from neoverse_ns.applications.edit.config import Operation
from neoverse_ns.applications.edit.edit import edit
from neoverse_ns.applications.edit.selection.region import Region, select_region
from neoverse_ns.console import say
from neoverse_ns.plugin.user_errors import exit_on_user_error


@dataclass
class ShowEdit:
    """Draw the picture."""

    run: tyro.conf.Positional[Path]
    """Its config.yml, or a folder, whose newest run is taken."""
    thing: int = 1
    """See ns-neoverse edit RUN --list-things."""
    move: tuple[float, float, float] = (0.08, -0.05, 0.0)
    """Right, down, ahead; in the clip's median depth."""
    shares: tuple[float, ...] = (0.3, 0.6)
    """Which frames, as shares of the clip."""
    output: Path = Path("edit.jpg")

    def run_all(self) -> None:
        """Edit and write."""
        scene = load(find_config(self.run))
        chosen = select_region(scene, Region(thing=self.thing))
        operations = (Operation(remove=True), Operation(move=self.move))
        assert scene.source is not None
        columns = [scene.source.clip.frames, *(edit(scene, [(chosen, one)]).frames for one in operations)]
        frames = [round(share * (len(scene.times) - 1)) for share in self.shares]
        picture = torch.cat([torch.cat([column[frame] for column in columns], dim=1) for frame in frames])
        picture = cv2.resize(picture.numpy(), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(self.output), picture[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 85])
        say(f"wrote {self.output}")


if __name__ == "__main__":
    with exit_on_user_error():
        tyro.cli(ShowEdit, description=__doc__).run_all()
