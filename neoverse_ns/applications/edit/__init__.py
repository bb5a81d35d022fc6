"""Editing a scene: something of it is selected, then removed, moved, turned, scaled, doubled or recoloured."""
