"""Scenes of benchmarks as nerfstudio's data: a protocol's inputs train, its targets are what ns-eval judges by."""
