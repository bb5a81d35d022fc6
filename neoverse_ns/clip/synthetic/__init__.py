"""A small dynamic clip with exact ground truth, for the demo, the tests and the benchmark."""

from neoverse_ns.clip.synthetic.render import SyntheticClip, render_synthetic
from neoverse_ns.clip.synthetic.save import save_synthetic

__all__ = ["SyntheticClip", "render_synthetic", "save_synthetic"]
