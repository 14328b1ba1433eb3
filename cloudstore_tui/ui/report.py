"""The one place where an error becomes words on the screen."""

from collections.abc import Iterable, Sequence

from textual.dom import DOMNode
from textual.notifications import SeverityLevel

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.ui.text import plain

LONGEST = 600
"""Characters of one message; more would cover the screen that it is about."""

_TIMEOUTS: dict[SeverityLevel, float] = {"information": 5, "warning": 10, "error": 15}


def sentence(error: StorageError) -> str:
    """What went wrong, about what, and what can be done: one line that is safe to draw."""
    return plain(str(error), LONGEST)


def report(node: DOMNode, error: StorageError) -> None:
    """Show an error for a while, over whatever is on the screen."""
    tell(node, str(error), "error")


def tell(node: DOMNode, text: str, severity: SeverityLevel = "information") -> None:
    """Show a sentence for a while; it may hold remote text."""
    node.app.notify(plain(text, LONGEST), severity=severity, timeout=_TIMEOUTS[severity], markup=False)


def tell_warnings(node: DOMNode, warnings: Iterable[str]) -> None:
    """Show what a service or a provider wants to be known of a page."""
    for text in warnings:
        tell(node, text, "warning")


def listed(parts: Sequence[str]) -> str:
    """Clauses joined to one sentence."""
    text = ", ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."
