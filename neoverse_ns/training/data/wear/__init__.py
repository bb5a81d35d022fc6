"""Wear of filmed pictures: what a camera and a codec do to them, while targets stay clean."""

from neoverse_ns.training.data.wear.apply import wear_inputs, wear_sample
from neoverse_ns.training.data.wear.config import WearConfig
from neoverse_ns.training.data.wear.draw import WearDraw, draw_wear

__all__ = ["WearConfig", "WearDraw", "draw_wear", "wear_inputs", "wear_sample"]
