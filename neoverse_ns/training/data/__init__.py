"""Clips with truth, and samples and batches made of them."""
