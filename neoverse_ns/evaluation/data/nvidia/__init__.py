"""NVIDIA's dynamic scenes in the three copies that tables are made on."""
