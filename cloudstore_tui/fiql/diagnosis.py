"""Explains what is wrong with a filter that does not parse, and how to write it."""

import re
from difflib import get_close_matches

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql.syntax import LIST_OPERATORS, OPERATORS, QUOTED, WORD, quote

_FOREIGN_OPERATOR = re.compile(r"=[A-Za-z]+=|<>|[<>]=|=[<>]|=~|!~|=(?:gt|ge|lt|le)(?=[\d\s-])|[<>=!~]")
_JOIN_WORD = re.compile(r"(and|or|&&?|\|\|?)", re.IGNORECASE)
_LAST_WORD = re.compile(rf"({WORD})[ \t\r\n]*$")
_WORD = re.compile(WORD)
_REST_OF_VALUE = re.compile(r"[^(),;=!~<>]*")
_TO_JOIN = re.compile(r"[^(),;]*")
_BRACKETS = re.compile(rf"{QUOTED}|[()]")
_LIST_START = re.compile(r"=(in|out)=[ \t\r\n]*\($")

_IN_VALUE = re.compile(rf"(?:==|!=|=[a-z]+=)[ \t\r\n]*({WORD})$")
_AFTER_OPERATOR = re.compile(r"(?:==|!=|=[a-z]+=)[ \t\r\n]*$")
_JOINED_BY_SIGN = re.compile(r"""(?:==|!=|=[a-z]+=)[^"'(),;=!~<> \t\r\n]*?([&|]+)[^"'(),;=!~<> \t\r\n&|]+$""")
_BARE_LIST = re.compile(rf"=(in|out)=({WORD}(?:,{WORD})+)$")
_SPLIT_VALUE = re.compile(rf"(?:==|!=|=[a-z]+=)({WORD},{WORD})$")
_JOINS = frozenset({"SEMICOLON", "COMMA", "RPAR", "$END"})

_MEANT = {
    "=": "==",
    "<": "=lt=",
    ">": "=gt=",
    "<=": "=le=",
    ">=": "=ge=",
    "=<": "=le=",
    "=>": "=ge=",
    "<>": "!=",
    "=gt": "=gt=",
    "=ge": "=ge=",
    "=lt": "=lt=",
    "=le": "=le=",
    "!": "!=",
    "~": "==",
    "=~": "==",
    "!~": "!=",
    "=gte=": "=ge=",
    "=lte=": "=le=",
    "=eq=": "==",
    "=ne=": "!=",
    "=neq=": "!=",
}
"""Operators of other languages, and their equivalents."""


_WRONG_JOIN = {
    "RPAR": ("`)` without `(`", "Leave it out, or open it before."),
    "SEMICOLON": ("`;` in a list", "The values of a list are joined by `,`, and the list ends with `)`."),
    "LPAR": ("`;` or `,` is missing before `(`", "Join by `;` for AND or `,` for OR."),
    "OPERATOR": (
        "a second operator",
        "Join two comparisons by `;` for AND or `,` for OR; a value with `=` needs quotes.",
    ),
}
"""What may not follow a term or a value of a list."""


def diagnose(text: str, position: int, found: str, expected: frozenset[str]) -> FilterError:
    """The error for a text that is wrong at `position`.

    Args:
        text: the whole filter.
        position: offset of the first token that does not fit; the length of the text at its end.
        found: the kind of that token in the grammar, `$END` at the end, empty if it is not a token.
        expected: the kinds that would fit.
    """
    if found == "OPERATOR" and (sign := _JOINED_BY_SIGN.search(_before(text, position))):
        position += sign.start(1) - len(_before(text, position))
        message, hint = f"`{sign[1]}` joins nothing", "Write `;` for AND and `,` for OR."
    elif not found:
        message, hint = _not_a_token(text, position)
    elif expected & _JOINS:
        message, hint = _after_a_term(text, position, found)
    elif "OPERATOR" in expected:
        message, hint = _after_a_field(text, position, found)
    elif "QUOTED" in expected:
        message, hint = _instead_of_a_value(text, position, found)
    else:
        message, hint = _instead_of_a_term(text, position, found)
    return FilterError(f"{message} (at character {position + 1})", text=text, position=position, hint=hint)


def _not_a_token(text: str, position: int) -> tuple[str, str]:
    if text[position] in "'\"":
        return _open_quote(text, position)
    match = _FOREIGN_OPERATOR.match(text, position)
    operator = match.group() if match else text[position]
    if value := _IN_VALUE.search(_before(text, position)):
        return f"`{operator}` inside a value", f"Write `{quote(value[1] + _rest_of_value(text, position))}`."
    if _AFTER_OPERATOR.search(_before(text, position)):
        return f"`{operator}` at the start of a value", f"Write `{quote(_rest_of_value(text, position))}`."
    if operator == "!" and not _LAST_WORD.search(_before(text, position)):
        return "nothing can be negated as a whole", "Write `field!=value` or `field=out=(one,two)`."
    meant = _MEANT.get(operator.lower()) or next(iter(get_close_matches(operator.lower(), OPERATORS, 1, 0.9)), "")
    if not meant:
        return f"`{operator}` is not an operator", f"The operators are {' '.join(OPERATORS)}."
    before = _LAST_WORD.search(_before(text, position))
    example = f"{before.group(1) if before else 'field'}{meant}{_example(text, position + len(operator), meant)}"
    return f"`{operator}` is not an operator", f"Write `{example}`; a value that holds such a character needs quotes."


def _example(text: str, position: int, operator: str) -> str:
    """The value after a wrong operator, rewritten for the right one."""
    if operator in LIST_OPERATORS:
        return "(one,two)"
    rest = _rest_of_value(text, position).strip()
    if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in "'\"":
        return rest
    if " " in rest and rest == _rest(text, position).strip():
        return quote(rest)
    after = _WORD.match(text, position)
    return after.group() if after else "value"


def _open_quote(text: str, position: int) -> tuple[str, str]:
    if text[:position].endswith(("=", "(", ",", " ")) or not position:
        return "missing closing quote", f"Close it with {text[position]} after the value."
    word = _LAST_WORD.search(_before(text, position))
    value = f"{word.group(1) if word else ''}{_rest(text, position)}"
    return "a quote inside a value", f"Write `{quote(value)}`."


def _after_a_term(text: str, position: int, found: str) -> tuple[str, str]:
    if found == "$END":
        opened = _unclosed(text)
        return "the filter ends, but `)` is missing", f"The `(` at character {opened + 1} is not closed."
    if found in ("WORD", "QUOTED"):
        return _second_word(text, position)
    return _WRONG_JOIN.get(found, _WRONG_JOIN["OPERATOR"])


def _second_word(text: str, position: int) -> tuple[str, str]:
    word = _WORD.match(text, position)
    if word and _JOIN_WORD.fullmatch(word.group()):
        return f"`{word.group()}` joins nothing", "Write `;` for AND and `,` for OR."
    before = _LAST_WORD.search(_before(text, position))
    if before is None:
        return "`;` or `,` is missing", "Join by `;` for AND or `,` for OR."
    value = before.group() + _rest(text, position)
    if word is None:
        return "a quote inside a value", f"Write `{quote(value)}`."
    return "a value with a blank needs quotes", f"Write `{quote(value)}`, or join two comparisons by `;` or `,`."


def _after_a_field(text: str, position: int, found: str) -> tuple[str, str]:
    before = _LAST_WORD.search(_before(text, position))
    name = before.group(1) if before else "a field"
    hint = f"The operators are {' '.join(OPERATORS)}."
    if found == "WORD":
        word = _WORD.match(text, position)
        hint = _after_two_words(name, word.group() if word else "value")
    elif listed := _BARE_LIST.search(_before(text, position)):
        hint = f"Write the list in parentheses: `={listed[1]}=({listed[2]})`."
    elif value := _SPLIT_VALUE.search(_before(text, position)):
        hint = f"A value with `,` needs quotes: `{quote(value[1])}`. Else write another comparison after the `,`."
    return f"an operator is expected after `{name}`", hint


def _after_two_words(name: str, word: str) -> str:
    """What to write instead of `type in (…)`, `not type` or `type summary`."""
    if word.lower() in ("in", "out"):
        return f"Write `{name}={word.lower()}=(one,two)`."
    if name.lower() == "not":
        return f"Write `{word}!=value` for not."
    return f"Write `{name}=={word}`, or another operator: {' '.join(OPERATORS)}."


def _instead_of_a_value(text: str, position: int, found: str) -> tuple[str, str]:
    if found == "LPAR":
        return "only =in= and =out= take a list", "Write `field=in=(one,two)`, or put a value with `(` in quotes."
    if found in ("OPERATOR", "LIST_OPERATOR"):
        return "a value is expected, not an operator", "Put a value with `=` in quotes: `'a=b'`."
    if _LIST_START.search(text[:position]) and found == "RPAR":
        return "an empty list", "Name at least one value: `(one,two)`."
    return "a value is expected", "Write `''` for an empty value."


def _instead_of_a_term(text: str, position: int, found: str) -> tuple[str, str]:
    if not text.strip():
        return "the filter is empty", "Leave the filter out to find everything that is available."
    if found == "$END":
        return "the filter ends where a field name is expected", "Leave out the last `;` or `,`, or add a comparison."
    if found in ("OPERATOR", "LIST_OPERATOR"):
        return "a field name is missing before the operator", f"Write `field{_MEANT['=']}value`."
    if found == "QUOTED":
        return "a field name has no quotes", "Write the field or tag as it is: `agentName==…`."
    shown = text[position]
    return (
        f"a field name or `(` is expected, not `{shown}`",
        "A filter looks like `type==callrecording;duration=gt=1000`.",
    )


def _unclosed(text: str) -> int:
    opened: list[int] = []
    for match in _BRACKETS.finditer(text):
        if match.group() == "(":
            opened.append(match.start())
        elif match.group() == ")" and opened:
            opened.pop()
    return opened[-1] if opened else 0


def _before(text: str, position: int) -> str:
    """The text before a position, as much as is quoted; limited so that a huge filter takes no time."""
    return text[max(0, position - 200) : position]


def _rest(text: str, position: int) -> str:
    match = _REST_OF_VALUE.match(text, position)
    return match.group().rstrip() if match else ""


def _rest_of_value(text: str, position: int) -> str:
    """The rest of an unquoted value, including characters that it may not contain."""
    match = _TO_JOIN.match(text, position)
    return match.group().rstrip() if match else ""
