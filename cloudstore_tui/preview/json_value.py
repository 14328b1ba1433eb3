"""JSON as Python values, as far as the text goes."""

from json import loads
from typing import TypeAlias

from cloudstore_tui.preview.json_events import Event, JsonEvents

Value: TypeAlias = "dict[str, Value] | list[Value] | str | float | bool | None"


def json_value(text: str) -> Value:
    """The first document of a text; what is missing at its end is left out.

    Raises:
        NoJsonError: the text is no JSON.
    """
    root: list[Value] = []
    stack: list[dict[str, Value] | list[Value]] = [root]
    for event in JsonEvents(text):
        if event.kind == "close":
            stack.pop()
            continue
        value: Value = _scalar(event)
        if event.kind == "open":
            value = {} if event.source == "{" else []
        holder = stack[-1]
        if isinstance(holder, dict):
            holder[str(loads(event.key))] = value
        else:
            holder.append(value)
        if event.kind == "open" and isinstance(value, dict | list):
            stack.append(value)
    return root[0] if root else None


def _scalar(event: Event) -> Value:
    if event.kind == "text":
        return str(loads(event.source))
    if event.kind == "number":
        # As a float: a whole number of a million digits takes minutes to read.
        return float(event.source)
    return {"true": True, "false": False}.get(event.source)
