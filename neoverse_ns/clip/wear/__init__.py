"""Wear of filmed pictures: what a camera and a codec do to them."""
