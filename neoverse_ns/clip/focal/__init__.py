"""Focal lengths that files tell: what cameras, phones, action cameras and drones write beside their pixels."""
