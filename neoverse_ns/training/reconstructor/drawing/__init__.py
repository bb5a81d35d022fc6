"""Drawing predicted Gaussians from true cameras, differentiable."""
