"""No source of the screen lets data become markup."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import cloudstore_tui
from cloudstore_tui import ui

SOURCES = sorted(
    [*Path(next(iter(ui.__path__))).rglob("*.py"), *Path(next(iter(cloudstore_tui.__path__))).glob("app.py")]
)
WIDGETS_OF_TEXT = {"Static", "Label", "Button", "Checkbox", "RadioButton", "Option", "Tooltip", "Collapsible"}
"""Widgets whose first text is markup unless it is `Content` or `markup=False`."""
SLOTS = {"border_title", "border_subtitle", "tooltip", "label", "placeholder"}
"""Attributes that take markup."""
METHODS = {"update", "set_label", "add_leaf", "add_option", "write_line", "with_tooltip"}
"""Methods whose text is markup."""


def is_literal(node: ast.expr) -> bool:
    """A text that is written in the source, as it is."""
    if isinstance(node, ast.IfExp):
        return is_literal(node.body) and is_literal(node.orelse)
    return isinstance(node, ast.Constant)


def is_made_up(node: ast.expr) -> bool:
    """A text put together at run time."""
    if isinstance(node, ast.IfExp):
        return is_made_up(node.body) or is_made_up(node.orelse)
    if isinstance(node, ast.BinOp):
        return is_made_up(node.left) or is_made_up(node.right) or isinstance(node.op, ast.Mod)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.attr in {"format", "join"} and isinstance(node.func.value, ast.Constant)
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"str", "plain"}
    return isinstance(node, ast.JoinedStr)


def faults(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from call_faults(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if any(isinstance(each, ast.Attribute) and each.attr in SLOTS for each in targets) and is_made_up(
                node.value
            ):
                yield f"{node.lineno}: a slot that takes markup is given a text made up at run time"


def call_faults(call: ast.Call) -> Iterator[str]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    markup = next((keyword.value for keyword in call.keywords if keyword.arg == "markup"), None)
    off = isinstance(markup, ast.Constant) and markup.value is False
    texts = call.args[:1]
    if markup is not None and not off:
        yield f"{call.lineno}: markup is not switched off"
    if name in {"from_markup", "visualize"}:
        yield f"{call.lineno}: {name}() parses markup"
    if name == "notify" and not off and not all(map(is_literal, texts)):
        yield f"{call.lineno}: notify() without markup=False"
    if name in WIDGETS_OF_TEXT | METHODS and not off and any(map(is_made_up, texts)):
        yield f"{call.lineno}: {name}() is given a text made up at run time"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: "/".join(path.parts[-2:]))
def test_no_source_lets_data_become_markup(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "Static(text, markup=True)",
        "Content.from_markup(name)",
        "self.notify(f'{name} is gone')",
        "self.notify(message)",
        "self.border_title = f'{name}'",
        "widget.tooltip = 'a' + str(name)",
        "Label(f'{name}')",
        "Label('%s' % name)",
        "self.query_one(Static).update('{}'.format(name))",
        "node.add_leaf(f'{name}')",
        "Static(', '.join(names))",
    ],
)
def test_the_scan_sees_what_is_forbidden(source: str) -> None:
    assert len(list(faults(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "self.notify(plain(name), markup=False)",
        "self.notify('Sent to your terminal\\'s clipboard')",
        "Label(show(name))",
        "self.border_title = show(name)",
        "self.border_title = 'Places'",
        "Static(f'{name}', markup=False)",
        "Static(Content(', ').join(map(show, names)))",
    ],
)
def test_the_scan_leaves_the_right_ways_alone(source: str) -> None:
    assert list(faults(source)) == []
