"""One view to several: synchronised cameras around the clip's own, all of one scene."""
