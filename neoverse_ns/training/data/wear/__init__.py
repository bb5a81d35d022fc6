"""Wear of a sample's inputs, blurred along its true motion, while what they are compared with stays clean."""
