"""The grammar and its parser. Importing this imports Lark, which costs 0.1 s: `parser` does so on first use."""

from typing import Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedToken

from cloudstore_tui.fiql.diagnosis import diagnose
from cloudstore_tui.fiql.tree import And, Comparison, Node, Or, plain

_GRAMMAR = r"""
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
QUOTED: /'(\\[\s\S]|[^'\\])*'|"(\\[\s\S]|[^"\\])*"/
WORD: /[^"'(),;=!~<> \t\r\n]+/
LPAR: "("
RPAR: ")"
SEMICOLON: ";"
COMMA: ","
BLANK: /[ \t\r\n]+/
%ignore BLANK
"""


class _Builder(Transformer[Token, Node]):
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

    def comparison(self, children: list[Token]) -> Node:
        selector, operator, *rest = children
        values = tuple(plain(str(token)) for token in rest if token.type in ("WORD", "QUOTED"))
        return Comparison(str(selector), str(operator), values, selector.start_pos or 0, rest[-1].end_pos or 0)


_LARK = Lark(_GRAMMAR, parser="lalr", lexer="basic", transformer=_Builder())


def read(text: str) -> Node:
    """The tree of a filter whose depth is known to be harmless.

    Raises:
        FilterError: the text is no filter.
    """
    try:
        # The stubs of Lark know only the tree that it builds without a transformer.
        result: Any = _LARK.parse(text)
    except UnexpectedCharacters as error:
        raise diagnose(text, error.pos_in_stream or 0, "", frozenset()) from None
    except UnexpectedToken as error:
        ended = error.token.type == "$END"
        position = len(text) if ended else error.token.start_pos or 0
        raise diagnose(text, position, error.token.type, frozenset(error.expected)) from None
    node: Node = result
    return node
