"""A finished run of `ns-train`, drawn and exported without its command line; this alone needs nerfstudio.

ns-train neoverse --data clip.mp4
python examples/06_finished_run.py outputs/clip/neoverse/<time> out/
"""

import argparse
from pathlib import Path

from neoverse_ns import export, load, render, trajectory

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("run", type=Path, help="folder of the run, or its config.yml")
parser.add_argument("folder", nargs="?", type=Path, default=Path("out"), help="where results go")
arguments = parser.parse_args()
folder = arguments.folder
folder.mkdir(parents=True, exist_ok=True)

scene = load(arguments.run)
print(f"{scene.gaussians.count:,} Gaussians in {', '.join(scene.gaussians)}; {len(scene.cameras)} refined cameras")
render(scene, trajectory(scene, "push_in", time="ping-pong", num_frames=33), folder / "push_in.mp4")
print(export(scene, folder, "ply", time=0.5))
