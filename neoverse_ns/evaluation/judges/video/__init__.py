"""Videos by themselves: how they look, and how well they follow a camera path."""
