"""From depth and flow to the layers of a scene."""
