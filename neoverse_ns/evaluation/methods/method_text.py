"""Methods as they are typed: `name:key=value,key=value`, several of them separated by commas."""

from __future__ import annotations

from neoverse_ns.errors import SettingsError


def split_methods(text: str) -> list[str]:
    """The methods of a list; a part without a colon that sets something belongs to the method before it.

    Raises:
        SettingsError: There is none, or one twice.
    """
    methods: list[str] = []
    for part in (part.strip() for part in text.split(",")):
        if methods and "=" in part and ":" not in part.partition("=")[0]:
            methods[-1] += f",{part}"
        elif part:
            methods.append(part)
    if not methods or len(set(methods)) < len(methods):
        raise SettingsError(f"--methods must name methods, each once, got '{text}'")
    return methods


def parse_method(text: str) -> tuple[str, dict[str, str]]:
    """Name and settings of one.

    Raises:
        SettingsError: A setting has no value, or two.
    """
    name, _, rest = text.partition(":")
    settings: dict[str, str] = {}
    for part in filter(None, rest.split(",")):
        key, found, value = part.partition("=")
        if not found or not value:
            raise SettingsError(f"method '{text}': settings are written key=value, got '{part}'")
        if key.strip() in settings:
            raise SettingsError(f"method '{text}': {key.strip()} is set twice; leave one of them out")
        settings[key.strip()] = value.strip()
    return name.strip(), settings
