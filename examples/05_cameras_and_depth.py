"""What else is known of a clip: cameras, depth, what moves, and how far all of it is to be trusted.

python examples/05_cameras_and_depth.py clip.mp4 out/           # without a clip a synthetic one is made
"""

import numpy as np
from _arguments import arguments

from neoverse_ns import reconstruct

options = arguments(__doc__)
scene = reconstruct(options.clip)
geometry = scene.geometry

# Camera-to-world matrices with OpenCV axes; the first camera is the origin, the median depth 1.
centres = geometry.cameras.c2w[:, :3, 3]
print(f"the camera travelled {float((centres[1:] - centres[:-1]).norm(dim=-1).sum()):.3f} median depths")
print(f"frames {geometry.keyframes} carry depth; {100 * float(geometry.dynamic.float().mean()):.1f} % of it moves")
print(f"confidence: {geometry.report['confidence']}; doubts: {geometry.report.get('doubts') or 'none'}")

np.savez_compressed(
    options.folder / "geometry.npz",
    c2w=geometry.cameras.c2w.numpy(),
    K=geometry.cameras.K.numpy(),
    depth=geometry.depth.numpy(),
    moving=geometry.dynamic.numpy(),
    seconds=scene.clip.seconds.numpy(),
)
