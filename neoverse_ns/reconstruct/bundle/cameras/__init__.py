"""Cameras and focal length from flow."""
