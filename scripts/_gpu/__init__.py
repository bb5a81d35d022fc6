"""Parts of check_gpu.py. What its own process loads (all but the checks themselves) needs Python alone."""
