"""How screens and dialogs look, kept as pictures: at most thirty, for what is too many cells to ask for by name.

`pytest tests/ui/walk/test_snapshots.py --snapshot-update` makes them anew; look at each before you commit it.
"""

import re
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.image import SVGImageSnapshotExtension

from screenshots.make import cells, last_look

KEPT = Path(__file__).parent / "__snapshots__" / "test_snapshots"

WIDE, USUAL, SMALL = (120, 40), (80, 24), (60, 15)
MAX_PICTURES = 30
_MAIN = ("BrowserScreen", "PreviewScreen", "TransfersScreen")
_DIALOGS = (
    "CancelDialog", "ColumnsDialog", "ConflictDialog", "DeleteDialog", "FetchDialog", "HistogramDialog", "LinkDialog",
    "PickDialog", "QuitDialog", "SortDialog", "ZipJobsDialog",
)  # fmt: skip
PICTURES = (
    *((name, size, "cloudstore-dark") for name in _MAIN for size in (WIDE, USUAL, SMALL)),
    *(("HelpScreen", size, "cloudstore-dark") for size in (USUAL, SMALL)),
    # At full width its last line would hold the folder of this very test.
    *(("CallScreen", size, "cloudstore-dark") for size in (USUAL, SMALL)),
    *(("BrowserScreen", WIDE, theme) for theme in ("cloudstore-light", "high-contrast", "ansi", "monochrome")),
    *((name, USUAL, "cloudstore-dark") for name in _DIALOGS),
)


def name_of(picture: tuple[str, tuple[int, int], str]) -> str:
    name, (width, height), theme = picture
    return f"{name}-{width}x{height}-{theme}"


class WhatIsShown(SVGImageSnapshotExtension):
    """Compares characters, styles and colours, not how a version of the libraries writes them down."""

    def matches(self, *, serialized_data: Any, snapshot_data: Any) -> bool:
        return bool(serialized_data == snapshot_data or cells(serialized_data) == cells(snapshot_data))


@pytest.mark.parametrize("picture", PICTURES, ids=name_of)
async def test_it_looks_as_it_did(
    shown: Any, snapshot: SnapshotAssertion, picture: tuple[str, tuple[int, int], str], request: pytest.FixtureRequest
) -> None:
    name, size, theme = picture
    path = KEPT / f"{request.node.name}.svg"
    kept = path.read_text(encoding="utf-8") if path.exists() and not request.config.option.update_snapshots else ""
    async with shown(name, size=size, theme=theme) as it:

        def look() -> str:
            return re.sub(r"terminal-\d+", "terminal", it.app.export_screenshot(title="cloudstore"))

        svg = await last_look(it.pilot, look, kept)
    assert svg == snapshot(extension_class=WhatIsShown)


def test_there_are_few_enough_to_be_looked_at() -> None:
    assert len(PICTURES) <= MAX_PICTURES
