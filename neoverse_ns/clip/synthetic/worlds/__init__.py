"""Endless random worlds of which everything is known: the data that anyone has."""

from neoverse_ns.clip.synthetic.worlds.build import is_static, random_world
from neoverse_ns.clip.synthetic.worlds.render import NOTHING, View, WorldCamera
from neoverse_ns.clip.synthetic.worlds.world import Light, Part, World

__all__ = ["NOTHING", "Light", "Part", "View", "World", "WorldCamera", "is_static", "random_world"]
