"""The refiner that needs no weights: a small network that learns from the clip itself what its drawings lack."""
