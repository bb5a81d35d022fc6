"""The nerfstudio plugin: the only folder besides `cli` that imports nerfstudio.

Nerfstudio loads every plugin at the start of every ns-* command, so nothing here may be slow or fragile to import:
decoding, flow and rasterisation are imported where they are used.
"""
