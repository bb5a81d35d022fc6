"""Time directed apart from the camera: frozen, slowed, played backward, and a curve of its own.

python examples/02_bullet_time.py clip.mp4 out/                 # without a clip a synthetic one is made
"""

from _arguments import arguments

from neoverse_ns import optimise, reconstruct, render, trajectory

options = arguments(__doc__)
scene = optimise(reconstruct(options.clip), steps=options.steps)
seconds = float(scene.clip.seconds[-1] - scene.clip.seconds[0])

middle, end = seconds / 2, seconds + 0.5
curves = {
    # One moment, half way, while the camera goes round it.
    "frozen": f"freeze@{middle:.2f}s",
    # Half as fast; frames between those of the clip are drawn at their exact times.
    "slow": "slow 2x",
    # Half of the clip, half a second of standing still, and back to its start: the video's time, then the clip's.
    "there_and_back": f"0s:0s, {middle:.2f}s:{middle:.2f}s, hold 0.5s, {end:.2f}s:0s",
}
for name, time in curves.items():
    path = trajectory(scene, "orbit_right", time=time, fps=24.0)
    render(scene, path, options.folder / f"{name}.mp4")
    first, last = float(path.times.min()), float(path.times.max())
    print(f"{name}: {len(path)} frames show the clip from {first:.2f} to {last:.2f}")
