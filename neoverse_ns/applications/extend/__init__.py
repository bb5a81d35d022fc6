"""A scene that grows: finished views are fed back, so that what one of them invents is there for all others."""
