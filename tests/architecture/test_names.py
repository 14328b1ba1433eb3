"""A name means one thing: no two public classes of the program are called the same."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "cloudstore_tui"


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
