"""Every screen, dialog and widget has its test, and no screen dresses another one."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from textual.widget import Widget

ROOT = Path(__file__).parents[2]
UI = ROOT / "cloudstore_tui" / "ui"


def modules() -> list[Path]:
    """The files of screens, dialogs and widgets, without those that only others are built on."""
    paths = [
        path for folder in ("browser", "screens", "dialogs", "widgets") for path in sorted((UI / folder).glob("*.py"))
    ]
    bases = {base for path in paths for base in base_names(path)}
    return [path for path in paths if holds_widget(path) and not set(class_names(path)) & bases]


def holds_widget(path: Path) -> bool:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    values = vars(import_module(name)).values()
    return any(isinstance(value, type) and issubclass(value, Widget) and value.__module__ == name for value in values)


def class_names(path: Path) -> list[str]:
    return [node.name for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ClassDef)]


def base_names(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    bases = [base for node in tree.body if isinstance(node, ast.ClassDef) for base in node.bases]
    return {ast.unparse(base).partition("[")[0] for base in bases}


def top_selectors(sheet: str) -> list[str]:
    """The selectors of the outermost rules of a style sheet."""
    text = re.sub(r"/\*.*?\*/", "", sheet, flags=re.S)
    depth, start = 0, 0
    found: list[str] = []
    for index, character in enumerate(text):
        if character == "{":
            if depth == 0:
                found.extend(part.strip() for part in text[start:index].split(","))
            depth += 1
        elif character == "}":
            depth -= 1
            start = index + 1
    return found


def is_own(selector: str, name: str) -> bool:
    return re.match(rf"{name}(?![\w-])", selector) is not None


def test_every_screen_dialog_and_widget_has_its_test() -> None:
    tests = list((ROOT / "tests").rglob("test_*.py"))
    names, said = {path.name for path in tests}, "".join(path.read_text(encoding="utf-8") for path in tests)
    found = modules()
    assert len(found) > 10

    def is_tested(path: Path) -> bool:
        return f"test_{path.stem}.py" in names or any(re.search(rf"\b{name}\b", said) for name in class_names(path))

    assert [str(path.relative_to(UI)) for path in found if not is_tested(path)] == []


def test_every_rule_of_a_style_sheet_is_inside_its_screen() -> None:
    sheets = sorted((UI / "screens").glob("*.tcss"))
    assert sheets
    for sheet in sheets:
        screens = [name for name in class_names(sheet.with_suffix(".py")) if name.endswith("Screen")]
        foreign = [
            selector
            for selector in top_selectors(sheet.read_text(encoding="utf-8"))
            if not any(is_own(selector, name) for name in screens)
        ]
        assert foreign == [], sheet.name


@pytest.mark.parametrize(
    ("sheet", "selectors"),
    [
        ("AScreen { Label { color: $x; } }", ["AScreen"]),
        ("AScreen { }\nLabel, AScreen Input { }", ["AScreen", "Label", "AScreen Input"]),
        ("/* Label { } */ AScreen:ansi { &:x { } }", ["AScreen:ansi"]),
    ],
)
def test_the_outermost_rules_are_found(sheet: str, selectors: list[str]) -> None:
    assert top_selectors(sheet) == selectors
    assert is_own("AScreen Input", "AScreen")
    assert not is_own("AScreens", "AScreen")
