"""Scenes as USD: Gaussians and cameras with time samples."""
