"""The clip without what moves: pictures of what its frames really saw, and Gaussians."""
