"""The CPU rasteriser: C++ kernels, their build and their gradients."""
