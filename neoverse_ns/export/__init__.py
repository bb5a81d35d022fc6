"""Scenes and cameras as files for other programs. Called, it is :func:`neoverse_ns.api.export`."""

from neoverse_ns.callable_package import make_callable

make_callable(__name__)
