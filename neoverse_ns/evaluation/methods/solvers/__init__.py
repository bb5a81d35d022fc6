"""Who finds cameras: our own reconstructors, and solvers beside them on the same frames."""
