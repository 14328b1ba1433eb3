"""From text to a tree.

The grammar of the service, with one liberty: blanks between the parts are read over, so that `check` can show the
text without them. `;` (AND) binds tighter than `,` (OR).
"""

import re

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.tree import Node

DEEPEST = 200
"""Levels of parentheses: far more than anybody types, far less than Python's stack holds."""

_PARENTHESES = re.compile(r"""'(?:\\[\s\S]|[^'\\])*(?:'|$)|"(?:\\[\s\S]|[^"\\])*(?:"|$)|[()]""")
"""Parentheses, and quoted texts whole; one that is never closed reaches to the end."""


def parse(text: str) -> Node:
    """The tree of a filter.

    Raises:
        FilterError: the text is no filter; the error knows where and what was expected there.
    """
    # Most runs of the program never meet a filter, and Lark costs 0.1 s of their start.
    from cloudstore_tui.fiql.grammar import read

    _refuse_depth(text)
    return read(text)


def _refuse_depth(text: str) -> None:
    depth = 0
    for match in _PARENTHESES.finditer(text):
        depth += {"(": 1, ")": -1}.get(match.group(), 0)
        if depth > DEEPEST:
            raise FilterError(
                f"more than {DEEPEST} parentheses inside each other",
                text=text,
                position=match.start(),
                hint="Leave out the parentheses that change nothing.",
            )
