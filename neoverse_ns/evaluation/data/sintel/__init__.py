"""MPI Sintel and its binary files."""
