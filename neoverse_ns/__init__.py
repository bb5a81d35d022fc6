"""NeoVerse for Nerfstudio: an ordinary video in, a 4D Gaussian scene out, without camera poses.

Data flows one way: ``clip`` -> ``reconstruct`` -> ``gaussians`` -> ``rasterize`` -> ``refine``. Only ``plugin`` (and
the command line that drives it) imports nerfstudio, so everything else works as a plain library.
"""

__version__ = "0.2.0"
