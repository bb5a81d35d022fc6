"""Photometric optimisation of a scene, without nerfstudio."""
