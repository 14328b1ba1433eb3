"""What is said of an error is for people: programs decide by its kind and its fields."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "cloudstore_tui"
OF_LIBRARIES = {
    "preview/table.py": "csv tells in words alone that a quote is not closed",
    "archive/timestamp.py": "the message of a time stamp is a digest",
}
ERRORS = {"error", "exc", "failure", "refused", "cause"}
LOOKS = {"startswith", "endswith", "find", "index", "split", "partition", "removeprefix", "removesuffix"}
SEARCHES = {"search", "match", "fullmatch", "findall", "finditer"}


def is_message(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(value=ast.Name(id="self")):
            return False
        case ast.Attribute(attr="message" | "hint"):
            return True
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=name)]):
            return name in ERRORS
    return False


def readings(source: str) -> Iterator[str]:
    """The places where the program decides by what an error says."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Compare():
                found = [node.left, *node.comparators]
            case ast.Call(func=ast.Attribute(attr=name, value=value)) if name in LOOKS:
                found = [value]
            case ast.Call(func=ast.Attribute(attr=name)) if name in SEARCHES:
                found = [*node.args]
            case _:
                continue
        if any(is_message(one) for one in found):
            yield ast.unparse(node)


def test_no_logic_reads_the_message_of_an_error() -> None:
    found = {
        str(path.relative_to(PACKAGE)): told
        for path in PACKAGE.rglob("*.py")
        if (told := list(readings(path.read_text(encoding="utf-8"))))
    }
    assert found.keys() == OF_LIBRARIES.keys(), found


@pytest.mark.parametrize(
    "source",
    [
        "'not found' in error.message",
        "left.error.hint == ''",
        "str(error).startswith('4')",
        "re.search('x', str(error))",
        "error.message.partition(':')",
    ],
)
def test_what_reads_one_is_seen(source: str) -> None:
    assert list(readings(source)) == [source]
