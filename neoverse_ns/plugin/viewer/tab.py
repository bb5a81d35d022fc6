"""A tab of our own beside nerfstudio's Control, Render and Export."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

NAME = "NeoVerse"


def neoverse_tab(server: Any) -> AbstractContextManager[Any]:
    """Add the tab, and return what elements are added in.

    Nerfstudio keeps its tab group to itself, so it is looked for under viser's private names, which other versions
    call otherwise; where it is not found, a group of its own goes below the others.

    Args:
        server: A `viser.ViserServer` whose panel nerfstudio has filled.
    """
    import viser

    group = _nerfstudio_tabs(server)
    if group is None:
        group = server.gui.add_tab_group()
    return group.add_tab(NAME, viser.Icon.MOVIE)


def _nerfstudio_tabs(server: Any) -> Any | None:
    from viser import GuiTabHandle

    try:
        for name in ("_container_handle_from_id", "_container_handle_from_uuid"):
            for handle in getattr(server.gui, name, {}).values():
                if isinstance(handle, GuiTabHandle):
                    return handle._parent
    except AttributeError:
        return None
    return None
