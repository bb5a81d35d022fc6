"""Where and when a new video looks. Called, it is :func:`neoverse_ns.api.trajectory`."""

from neoverse_ns.callable_package import make_callable

make_callable(__name__)
