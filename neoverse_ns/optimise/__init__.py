"""Photometric optimisation of a scene, without nerfstudio. Called, it is :func:`neoverse_ns.api.optimise`."""

from neoverse_ns.callable_package import make_callable

make_callable(__name__)
