"""A name means one thing, and one that begins with an underscore is its owner's alone."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "cloudstore_tui"
BY_NAME = {"setattr", "getattr", "delattr", "hasattr", "patch", "object"}
"""What takes the name of an attribute as a text."""
PRIVATE = re.compile(r"\b_[A-Za-z]\w*")


def classes(path: Path) -> list[str]:
    """The public classes that a module defines; a message of a widget belongs to the widget."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return [node.name for node in body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def test_no_public_class_is_defined_twice() -> None:
    found = defaultdict(list)
    for path in PACKAGE.rglob("*.py"):
        for name in classes(path):
            found[name].append(str(path.relative_to(PACKAGE)))
    shared = {name: paths for name, paths in found.items() if len(paths) > 1}
    assert not shared


def test_no_test_stands_on_a_private_name() -> None:
    """What ruff's SLF001 does not see: names in texts and scripts, imports, and methods that are overridden."""
    ours = {name for path in PACKAGE.rglob("*.py") for name in PRIVATE.findall(path.read_text(encoding="utf-8"))}
    used = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        names = [*texts(nodes), *imported_and_overridden(nodes)]
        used += [f"{path.relative_to(ROOT)}: {name}" for name in names if name in ours]
    assert used == []


def texts(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Call) and called(node) in BY_NAME:
            given = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            yield from (name for text in given if PRIVATE.fullmatch(name := text.rpartition(".")[2]))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "._" in node.value:
            yield from re.findall(r"\b[A-Z]\w+\.(_[A-Za-z]\w*)", node.value)


def called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def imported_and_overridden(nodes: Sequence[ast.AST]) -> Iterator[str]:
    origins: dict[str, tuple[str, str]] = {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith(PACKAGE.name):
            origins |= {one.asname or one.name: (node.module, one.name) for one in node.names}
        elif isinstance(node, ast.ClassDef):
            bases = [origins[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in origins]
            known = {name for module, base in bases for name in vars(getattr(import_module(module), base))}
            methods = [one.name for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
            yield from (name for name in methods if name in known and PRIVATE.fullmatch(name))
    yield from (name for _, name in origins.values() if PRIVATE.fullmatch(name))
