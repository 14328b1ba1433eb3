"""Tables of profiles, put into a configuration and taken out of it as text: everything else stays byte for byte."""

import json
import tomllib
from collections.abc import Mapping

from cloudstore_tui.core.profile import OptionValue


def with_profile(text: str, name: str, values: Mapping[str, OptionValue]) -> str:
    """The text with a table for a profile at its end."""
    end = "\r\n" if "\r\n" in text else "\n"
    lines = [f"[profiles.{name}]", *(f"{key} = {_written(value)}" for key, value in values.items())]
    before = text if not text or text.endswith("\n") else text + end
    return before + (end if text else "") + "".join(line + end for line in lines)


def without_profile(text: str, name: str) -> str:
    """The text without the table of a profile; the same text if it has none. Comments around it stay."""
    lines = text.splitlines(keepends=True)
    start, end = _span(lines, ("profiles", name))
    if start == end:
        return text
    # What stands right before the next header is about that one.
    while end > start + 1 and not lines[end - 1].partition("#")[0].strip():
        end -= 1
    before, after = lines[:start], lines[end:]
    if before and not before[-1].strip() and not (after and after[0].strip()):
        before.pop()
    return "".join(before + after)


def _span(lines: list[str], path: tuple[str, ...]) -> tuple[int, int]:
    """From a header up to, not including, the next one that is not below it; the end twice without it."""
    headers = [(number, found) for number, line in enumerate(lines) if (found := _header(line))]
    start = next((number for number, found in headers if found == path), len(lines))
    beyond = (number for number, found in headers if number > start and found[: len(path)] != path)
    return start, next(beyond, len(lines))


def _header(line: str) -> tuple[str, ...]:
    """The keys in the header of a table; nothing if the line is none."""
    if not line.lstrip().startswith("["):
        return ()
    try:
        value: object = tomllib.loads(line)
    except (tomllib.TOMLDecodeError, RecursionError):
        return ()
    keys: list[str] = []
    while isinstance(value, dict) and value:
        ((key, value),) = value.items()
        keys.append(str(key))
    return tuple(keys)


def _written(value: OptionValue) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)
