"""Views that the clip never showed, with their holes closed and flaws removed.

python examples/04_refine.py clip.mp4 out/                      # without a clip a synthetic one is made
"""

from _arguments import arguments

from neoverse_ns import optimise, reconstruct, refine, trajectory

options = arguments(__doc__)
scene = optimise(reconstruct(options.clip), steps=options.steps)
path = trajectory(scene, "pan_left", num_frames=options.frames)

# "telea" closes holes at once; "internal" learns from the clip itself (minutes on a CPU); "wan" is the paper's model.
made = refine(scene, path, "telea", options.folder / "refined.mp4")
open_share = 1 - made.conditions.mask.float().mean(dim=(1, 2))
print(f"{len(made.frames)} frames; {100 * float(open_share[-1]):.0f} % of the last was to be repainted")
