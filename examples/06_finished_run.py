"""A finished run of `ns-train`, drawn and exported without its command line; this alone needs nerfstudio.

ns-train neoverse --data clip.mp4
python examples/06_finished_run.py outputs/clip/neoverse/<time> out/
"""

import sys
from pathlib import Path

from neoverse_ns import export, load, render, trajectory

run, folder = Path(sys.argv[1]), Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)

scene = load(run)
print(f"{scene.gaussians.count:,} Gaussians in {', '.join(scene.gaussians)}; {len(scene.cameras)} refined cameras")
render(scene, trajectory(scene, "push_in", time="ping-pong", num_frames=33), folder / "push_in.mp4")
print(export(scene, folder, "ply", time=0.5))
