"""Who may look: this machine alone, unless somebody asks for more."""

from __future__ import annotations

import sys
from dataclasses import replace

from nerfstudio.configs.base_config import ViewerConfig

from neoverse_ns.plugin.script_calls import viewer_being_started

THIS_MACHINE = "127.0.0.1"
_FLAGS = ("--viewer.websocket-host", "--viewer.websocket_host")


def kept_to_this_machine(config: ViewerConfig) -> ViewerConfig:
    """What `ns-viewer` is about to use, listening on this machine alone where its user has not named a host.

    Whoever reaches the viewer can start work in the run folder; nerfstudio's default lets every machine in the network.
    """
    asked = any(argument.partition("=")[0] in _FLAGS for argument in sys.argv)
    if asked or config.websocket_host != ViewerConfig().websocket_host or not viewer_being_started():
        return config
    return replace(config, websocket_host=THIS_MACHINE)
