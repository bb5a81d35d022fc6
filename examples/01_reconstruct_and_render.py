"""An ordinary video in, its 4D scene drawn from beside the path out.

python examples/01_reconstruct_and_render.py clip.mp4 out/      # without a clip a synthetic one is made
"""

from _arguments import arguments

from neoverse_ns import optimise, reconstruct, render, trajectory

options = arguments(__doc__)

# Cameras, depth and Gaussians from the pixels alone; the next call with this clip takes them from the cache.
scene = reconstruct(options.clip)
cameras = scene.geometry.cameras
print(f"{len(cameras)} cameras, focal length {float(cameras.K[0, 0, 0]):.0f} px of {cameras.width}x{cameras.height}")

# Both optimised on the clip: what `ns-train neoverse` does.
scene = optimise(scene, steps=options.steps)

# The clip's own views, and new ones: the camera moves to the right on an arc while time runs.
render(scene, output=options.folder / "as_filmed.mp4")
drawing = render(scene, trajectory(scene, "orbit_right", num_frames=options.frames), options.folder / "orbit.mp4")
print(f"rgb {tuple(drawing.rgb.shape)}, depth {tuple(drawing.depth.shape)}, alpha {tuple(drawing.alpha.shape)}")
