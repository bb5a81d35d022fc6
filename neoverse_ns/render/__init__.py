"""Pictures of a scene along a trajectory, written one by one: videos, folders of frames, depth, opacity.

Called, it is :func:`neoverse_ns.api.render`.
"""

from neoverse_ns.callable_package import make_callable

make_callable(__name__)
