"""From a clip to its 4D scene. Called, it is :func:`neoverse_ns.api.reconstruct`."""

from neoverse_ns.callable_package import make_callable

make_callable(__name__)
