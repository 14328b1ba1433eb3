"""Nothing grows until nobody can read it."""

import ast
from collections.abc import Iterator
from pathlib import Path

from cloudstore_tui.core.provider import StorageProvider

PACKAGE = Path(__file__).parents[2] / "cloudstore_tui"

FILE_LINES = 350
CLASS_LINES = 250
METHODS = 20
FUNCTION_LINES = 50
STYLE_LINES = 150

CONTRACTS = {"StorageProvider"}
"""Classes that list what others implement; their number of methods is the number of things a service can do."""


def sources() -> list[Path]:
    found = sorted(PACKAGE.rglob("*.py"))
    assert found
    return found


def nodes(path: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def height(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def fills_contract(owner: ast.ClassDef, method: str) -> bool:
    """Whether a method is there because the contract has it: a provider cannot have fewer."""
    bases = {base.id for base in owner.bases if isinstance(base, ast.Name)}
    return bool(bases & CONTRACTS) and hasattr(StorageProvider, method)


def too_big(path: Path) -> Iterator[str]:
    """What in a source file is over a limit."""
    name = path.relative_to(PACKAGE)
    lines = len(path.read_text(encoding="utf-8").splitlines())
    if lines > FILE_LINES:
        yield f"{name}: {lines} lines"
    for node in nodes(path):
        if isinstance(node, ast.ClassDef) and node.name not in CONTRACTS:
            methods = sum(
                isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not fills_contract(node, child.name)
                for child in node.body
            )
            if height(node) > CLASS_LINES or methods > METHODS:
                yield f"{name}: class {node.name} has {height(node)} lines and {methods} methods"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and height(node) > FUNCTION_LINES:
            yield f"{name}: {node.name} has {height(node)} lines"


def test_no_file_class_or_function_is_over_its_limit() -> None:
    assert [finding for path in sources() for finding in too_big(path)] == []


def test_no_style_sheet_is_over_its_limit() -> None:
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PACKAGE.rglob("*.tcss")}
    assert lines
    assert {name: count for name, count in lines.items() if count > STYLE_LINES} == {}
