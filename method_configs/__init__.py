"""One file per registered method; installed as `neoverse_ns.method_configs`."""
