"""What a refiner is told about every frame: drawn from the 4D Gaussians along a trajectory."""
