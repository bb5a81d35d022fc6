"""Cameras of given frames, and what a solver finds besides: the question, and the comparison with the truth."""
