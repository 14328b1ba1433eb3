"""Parses filters into trees, and joins several filters into one.

The grammar is that of the service, except that blanks between tokens are ignored, so that `check` can suggest the text
without them. `;` (AND) binds tighter than `,` (OR).
"""

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.syntax import QUOTED, WORD, And, Comparison, Node, Or, plain

if TYPE_CHECKING:
    from lark import Lark, Token

DEEPEST = 200
"""Levels of parentheses: far more than anyone types, far fewer than Python's stack allows."""

_PARENTHESES = re.compile(rf"""{QUOTED}|['"][\s\S]*|[()]""")
"""Parentheses, and quoted texts as a whole; an unclosed one extends to the end."""

_GRAMMAR = rf"""
start: either
either: all (COMMA all)*
all: term (SEMICOLON term)*
?term: LPAR either RPAR -> group
     | WORD OPERATOR _value -> comparison
     | WORD LIST_OPERATOR _value -> comparison
     | WORD LIST_OPERATOR LPAR _value (COMMA _value)* RPAR -> comparison
_value: WORD | QUOTED
LIST_OPERATOR.2: /=(in|out)=/
OPERATOR.2: /==|!=|=(gt|ge|lt|le)=/
QUOTED: /{QUOTED}/
WORD: /{WORD}/
LPAR: "("
RPAR: ")"
SEMICOLON: ";"
COMMA: ","
BLANK: /[ \t\r\n]+/
%ignore BLANK
"""


def parse(text: str) -> Node:
    """The tree of a filter.

    Raises:
        FilterError: the text is not a filter; the error says where, and what was expected there.
    """
    _refuse_depth(text)
    from lark import UnexpectedCharacters, UnexpectedToken

    from cloudstore_tui.fiql.diagnosis import diagnose

    try:
        # The stubs of Lark know only the tree that it builds without a transformer.
        result: Any = _lark().parse(text)
    except UnexpectedCharacters as error:
        raise diagnose(text, error.pos_in_stream or 0, "", frozenset()) from None
    except UnexpectedToken as error:
        ended = error.token.type == "$END"
        position = len(text) if ended else error.token.start_pos or 0
        raise diagnose(text, position, error.token.type, frozenset(error.expected)) from None
    node: Node = result
    return node


def conjunction(*filters: str) -> str:
    """The conjunction of several filters; empty ones are skipped, those with an OR get parentheses.

    Raises:
        FilterError: one of several filters does not parse.
    """
    wanted = [text for text in filters if text.strip()]
    if len(wanted) < 2:
        return wanted[0] if wanted else ""
    return ";".join(f"({text})" if isinstance(parse(text), Or) else text for text in wanted)


def requires(text: str, field: str) -> bool:
    """Whether only objects with a value in this field can meet a filter, which may be empty.

    Raises:
        FilterError: it does not parse.
    """

    def is_required(node: Node) -> bool:
        if isinstance(node, Comparison):
            return node.selector == field and node.operator not in ("!=", "=out=")
        return (any if isinstance(node, And) else all)(map(is_required, node.terms))

    return field in text and is_required(parse(text))


class _Builder:
    """Builds the tree while the parser reduces, so that nothing recurses."""

    def start(self, children: list[Any]) -> Node:
        node: Node = children[0]
        return node

    def either(self, children: list[Any]) -> Node:
        return Or(tuple(children[::2])) if len(children) > 1 else self.start(children)

    def all(self, children: list[Any]) -> Node:
        return And(tuple(children[::2])) if len(children) > 1 else self.start(children)

    def group(self, children: list[Any]) -> Node:
        return self.start(children[1:])

    def comparison(self, children: "list[Token]") -> Node:
        selector, operator, *rest = children
        values = tuple(plain(str(token)) for token in rest if token.type in ("WORD", "QUOTED"))
        return Comparison(str(selector), str(operator), values, selector.start_pos or 0, rest[-1].end_pos or 0)


@cache
def _lark() -> "Lark":
    # Deferred: Lark takes 0.1 s to load, and most runs need no filter.
    from lark import Lark

    return Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())


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
