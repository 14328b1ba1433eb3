"""Colours are written in themes and nowhere else."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual._color_constants import COLOR_NAME_TO_RGB

PACKAGE = Path(__file__).parents[2] / "cloudstore_tui"

READER = PACKAGE / "config" / "themes.py"
"""Reads theme files, so it says how a colour is written."""

_HEX = re.compile(r"(?<![\w-])#(?:[0-9a-f]{6}|[0-9a-f]{8})(?![\w-])", re.I)
_SHORT_HEX = re.compile(r"(?<![\w-])#[0-9a-f]{3,4}(?![\w-])", re.I)
_FUNCTION = re.compile(r"\b(?:rgb|rgba|hsl|hsla)\s*\(", re.I)
_ANSI = re.compile(r"\bansi_[a-z_]+")
_PROPERTY = re.compile(
    r"(?:color|background|tint|border[\w-]*|outline[\w-]*|keyline|hatch|scrollbar[\w-]*|link[\w-]*)\s*:\s*([^;{}]*)"
)
_STYLE_CALLS = {"Style", "parse", "styled", "stylize", "style", "from_markup"}
_STYLE_ARGUMENTS = {"style", "color", "bgcolor", "background", "foreground", "border"}
_NAMES = frozenset(COLOR_NAME_TO_RGB) - {"transparent"}


def literals(text: str) -> Iterator[str]:
    """Colours written in a style sheet, or in a text that may be one."""
    for pattern in (_HEX, _FUNCTION, _ANSI):
        yield from (match[0] for match in pattern.finditer(text))
    for value in _PROPERTY.finditer(text):
        yield from named(value[1])
        yield from (match[0] for match in _SHORT_HEX.finditer(value[1]))


def named(text: str) -> Iterator[str]:
    """Names of colours among the words of a style."""
    yield from (word for word in re.findall(r"(?<![$\w-])[a-z_]+(?![\w-])", text) if word in _NAMES)


def in_source(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from literals(node.value)
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if called not in _STYLE_CALLS:
                values = [keyword.value for keyword in node.keywords if keyword.arg in _STYLE_ARGUMENTS]
            if values:
                texts = [value.value for value in values if isinstance(value, ast.Constant)]
                yield from (name for text in texts if isinstance(text, str) for name in named(text))


def test_no_source_names_a_colour() -> None:
    sources = [path for path in PACKAGE.rglob("*.py") if path != READER]
    assert sources
    found = {str(path.relative_to(PACKAGE)): sorted(set(in_source(path))) for path in sources}
    assert {name: colours for name, colours in found.items() if colours} == {}


def test_no_style_sheet_names_a_colour() -> None:
    sheets = list(PACKAGE.rglob("*.tcss"))
    assert sheets
    found = {path.name: list(literals(path.read_text(encoding="utf-8"))) for path in sheets}
    assert {name: colours for name, colours in found.items() if colours} == {}


@pytest.mark.parametrize(
    "text",
    [
        "color: red;",
        "border: round #abc;",
        "background: #00ff00 50%;",
        "color: rgb(1,2,3);",
        "scrollbar-color: ansi_red;",
    ],
)
def test_a_colour_in_a_style_is_seen(text: str) -> None:
    assert list(literals(text))


@pytest.mark.parametrize(
    "text", ["color: $text-error;", "background: transparent;", "#url", "#add", "layers: base red-x"]
)
def test_what_is_no_colour_is_left_alone(text: str) -> None:
    assert list(literals(text)) == []


def test_a_colour_in_a_call_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "x.py"
    source.write_text(
        'Style(color="red")\nContent.styled("x", "bold blue")\nprint("red")\n'
        'Text("red", style="green")\nContent.from_markup("[cyan]x[/]")\n'
    )
    assert sorted(in_source(source)) == ["blue", "cyan", "green", "red"]
