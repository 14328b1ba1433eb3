"""Filters as phrases, where a phrase says the same: FIQL that the program wrote is hard to go on writing."""

from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql import And, Comparison, Node, parse, phrase_value, understand


def as_phrase(filter_: str, zone: tzinfo) -> str:
    """A phrase that is understood as exactly this filter of a type and a time; empty where there is none."""
    if not filter_:
        return ""
    for phrase in _candidates(parse(filter_)):
        try:
            if understand(phrase, zone, datetime.now(UTC)).filter == filter_:
                return phrase
        except FilterError:
            continue
    return ""


def _candidates(node: Node) -> Iterator[str]:
    comparisons = node.terms if isinstance(node, And) else (node,)
    words: list[str] = []
    moments: list[datetime] = []
    for comparison in comparisons:
        if not isinstance(comparison, Comparison):
            return
        if comparison.selector == "type" and comparison.operator == "==":
            value = comparison.value
            words.append(f"type:{value if value.isalnum() else phrase_value(value)}")
        elif comparison.selector == "createdTime" and comparison.value.isdecimal():
            moments.append(datetime.fromtimestamp(int(comparison.value) / 1000, UTC))
        else:
            return
    if not moments:
        yield " ".join(words)
        return
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        yield " ".join([*words, f"on:{moments[0].strftime(form)}"])
