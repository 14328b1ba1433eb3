"""Tables of a TOML file changed as text, so that comments and everything else in it stay as they are."""

import json
import re
import tomllib
from collections.abc import Mapping

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def with_table(text: str, name: str, lines: Mapping[str, str]) -> str:
    """The text with these keys in a table; a table that is not there comes last.

    Args:
        text: the whole file.
        name: of the table.
        lines: the values by key, as TOML writes them.
    """
    kept = text.splitlines()
    start, end = _span(kept, name)
    if start == end:
        gap = [""] if kept and kept[-1].strip() else []
        return "\n".join([*kept, *gap, f"[{_key(name)}]", *(f"{key} = {value}" for key, value in lines.items()), ""])
    for key, value in lines.items():
        line = f"{key} = {value}"
        at = next((row for row in range(start + 1, end) if re.match(rf"\s*{re.escape(key)}\s*=", kept[row])), None)
        if at is not None:
            kept[at] = line
        else:
            kept.insert(start + 1, line)
            end += 1
    return "\n".join([*kept, ""])


def without_table(text: str, name: str) -> str:
    """The text without a table; comments before its header stay."""
    kept = text.splitlines()
    start, end = _span(kept, name)
    # What stands right before the next header is about that one.
    while end > start + 1 and end < len(kept) and kept[end - 1].lstrip().startswith("#"):
        end -= 1
    left = kept[:start] + kept[end:]
    while left and not left[-1].strip():
        left.pop()
    return "\n".join([*left, ""]) if left else ""


def with_name(text: str, old: str, new: str) -> str:
    """The text with a table under another name."""
    kept = text.splitlines()
    start, end = _span(kept, old)
    if start < end:
        kept[start] = re.sub(r"\[.*\]", lambda _: f"[{_key(new)}]", kept[start], count=1)
    return "\n".join([*kept, ""])


def _span(lines: list[str], name: str) -> tuple[int, int]:
    """From the header of a table up to, not including, the next header; the end of the text twice without it."""
    headers = [(number, known) for number, line in enumerate(lines) if (known := _header(line)) is not None]
    for index, (number, known) in enumerate(headers):
        if known == name:
            return number, headers[index + 1][0] if index + 1 < len(headers) else len(lines)
    return len(lines), len(lines)


def _header(line: str) -> str | None:
    """The name in the header of a table; `None` if the line is none."""
    if not line.lstrip().startswith("["):
        return None
    try:
        ((name, value),) = tomllib.loads(line).items()
    except (tomllib.TOMLDecodeError, ValueError):
        return None
    return name if value == {} else None


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else json.dumps(name, ensure_ascii=False)
