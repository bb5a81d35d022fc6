"""Wear of a sample's inputs, blurred along its true motion, while what they are compared with stays clean."""

from neoverse_ns.clip.wear.apply import wear_inputs
from neoverse_ns.clip.wear.config import WearConfig
from neoverse_ns.clip.wear.draw import WearDraw, draw_wear
from neoverse_ns.training.data.wear.apply import wear_sample

__all__ = ["WearConfig", "WearDraw", "draw_wear", "wear_inputs", "wear_sample"]
