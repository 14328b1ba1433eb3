"""Every screen and dialog there is, opened over a browser as a user would find it."""

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import pytest
from msgspec.structs import replace
from textual.screen import Screen

import cloudstore_tui.ui.dialogs
import cloudstore_tui.ui.screens
from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.links import LinkForm, Piece, SignedLink, ZipJob
from cloudstore_tui.core.models import Column, ColumnKind, Location, StoredObject
from cloudstore_tui.core.paging import Page
from cloudstore_tui.core.profile import Secret
from cloudstore_tui.doctor import CheckResult, CheckStatus
from cloudstore_tui.providers import PROVIDERS
from cloudstore_tui.transfers.model import DownloadRequest, State, TransferSnapshot
from cloudstore_tui.ui.dialogs.columns import Bar, ColumnsDialog, Grouping, HistogramDialog, SortDialog
from cloudstore_tui.ui.dialogs.dialog import ConsentDialog, MessageDialog
from cloudstore_tui.ui.dialogs.fetching import ConflictDialog, FetchDialog, ProgressDialog, ZipJobsDialog
from cloudstore_tui.ui.dialogs.links import FiqlDialog, LinkDialog, ListenDialog
from cloudstore_tui.ui.dialogs.paths import DownloadDialog, UploadDialog
from cloudstore_tui.ui.dialogs.picking import (
    BookmarksDialog,
    Choice,
    GotoDialog,
    NameChoice,
    NameDialog,
    ParametersDialog,
    PickDialog,
)
from cloudstore_tui.ui.dialogs.questions import CancelDialog, ClearZipsDialog, DeleteDialog, QuitDialog, RestoreDialog
from cloudstore_tui.ui.downloads import Conflict, FetchOffer, Side
from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen
from cloudstore_tui.ui.screens.setup import DoctorScreen, KeyGuideScreen

WHERE = Location("acme8", "us-east", "id-1")
WHEN = datetime(2024, 9, 1, 9, 12, tzinfo=UTC)
OBJECT = StoredObject(
    WHERE, "int-1.mp3", id="id-1", type="callrecording", size=3_800_000, size_exact=True, created=WHEN,
    state="ARCHIVED", tags=(("agentName", "Khang Glynn"),),
)  # fmt: skip
COLUMNS = (Column("name", "Name", width=40), Column("size", "Size", ColumnKind.SIZE, width=10))
PICKS = (Choice("us-east", "here"), Choice("uk"), Choice("all regions", "slower"))


async def _bars() -> tuple[Bar, ...]:
    return Bar("2024-09-01", 40, "day==1"), Bar("2024-09-02", 10, "day==2")


def transfers(folder: Path) -> list[TransferSnapshot]:
    """One of each state."""
    failed = NetworkError("the connection was reset", subject="acme8:us-east/id-1", hint="Try again.")
    return [
        TransferSnapshot(
            number,
            DownloadRequest(replace(WHERE, path=f"id-{number}"), folder, f"int-{number}.mp3"),
            state,
            size=1000,
            done=410,
            speed=100.0,
            error=failed if state is State.FAILED else None,
        )
        for number, state in enumerate(State, 1)
    ]


async def _examine() -> AsyncIterator[CheckResult]:
    for status in CheckStatus:
        yield CheckResult("acme", "token", status, "what was found", "What to do.")


Make = Callable[[Path], Screen[Any]]

MADE: Mapping[str, Make] = {
    "BookmarksDialog": lambda _: BookmarksDialog("Bookmarks", PICKS),
    "CancelDialog": lambda _: CancelDialog("", 3, 1_200_000),
    "ClearZipsDialog": lambda _: ClearZipsDialog("us-east", 3),
    "ColumnsDialog": lambda _: ColumnsDialog(COLUMNS[:1], COLUMNS[1:]),
    "ConflictDialog": lambda _: ConflictDialog(
        [Conflict(name, name, Side(3_813_176, when=WHEN, md5="279f59fd" * 4), Side(29)) for name in ("a", "b")],
        "~/calls",
    ),
    "ConsentDialog": lambda _: ConsentDialog("Replace?", ["a.mp3 is there already"], yes="Replace"),
    "DeleteDialog": lambda _: DeleteDialog([OBJECT] * 12),
    "DoctorScreen": lambda _: DoctorScreen(_examine),
    "DownloadDialog": lambda folder: DownloadDialog("3 files", "12.4 MB", folder),
    "FetchDialog": lambda folder: FetchDialog(
        FetchOffer("412 call recordings", "1.7 GB", folder, 900, 80_000_000_000, 1, 412, 40, prefers_zip=True, coming=5)
    ),
    "GotoDialog": lambda _: GotoDialog("acme:", ["acme:", "acme8:"], PICKS),
    "FiqlDialog": lambda _: FiqlDialog("type==callrecording;agentName=='Khang Glynn'", "acme8:us-east/"),
    "HistogramDialog": lambda _: HistogramDialog([Grouping("day", _bars, True)], "50 loaded rows", narrows=True),
    "ParametersDialog": lambda _: ParametersDialog("agentName==?agent", "@mine"),
    "KeyGuideScreen": lambda _: KeyGuideScreen({spec.name: spec.guide for spec in PROVIDERS}),
    "LinkDialog": lambda _: LinkDialog(
        "acme8:us-east/id-1",
        SignedLink(Secret("https://8x8.com/x?sig=1"), WHEN + timedelta(hours=1), LinkForm.PRESIGNED, "Only for you."),
        now=lambda: WHEN,
    ),
    "ListenDialog": lambda _: ListenDialog("No sound device was found.", WHERE.address, program="mpv", links=True),
    "MessageDialog": lambda _: MessageDialog("Transfer", "get int-1.mp3\nfailed"),
    "NameDialog": lambda _: NameDialog("Bookmark", [NameChoice("This place: acme:", "acme", ("old",))], name="old"),
    "PickDialog": lambda _: PickDialog("Region", PICKS),
    "ProfileFormScreen": lambda folder: ProfileFormScreen(PROVIDERS, folder / "config.toml"),
    "ProgressDialog": lambda _: ProgressDialog("Counting [/x] reporting/"),
    "QuitDialog": lambda _: QuitDialog(2, keeps=True, deleting=1),
    "RestoreDialog": lambda _: RestoreDialog([OBJECT], 1),
    "SortDialog": lambda _: SortDialog(COLUMNS, ("size", True), lambda _: "all results"),
    "UploadDialog": lambda folder: UploadDialog("acme:imports/", folder),
    "ZipJobsDialog": lambda _: ZipJobsDialog("us-east", [ZipJob("acme8", "us-east", "a.zip", "DONE", ("x",))]),
}
"""How each dialog is made, and each screen that does not come from a key."""

SCREENS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "BrowserScreen": ("acme8:us-east/", ("j", "space")),
    "CallScreen": ("acme8:us-east/", ("full_stop", "j", "space")),
    "HomeScreen": ("acme8:us-east/", ("tilde",)),
    "HelpScreen": ("acme8:us-east/", ("question_mark",)),
    "PreviewScreen": ("acme:exports/reporting/", ("p",)),
    "RestoresScreen": ("acme8:us-east/", ("Q",)),
    "TransfersScreen": ("acme8:us-east/", ("d", "t")),
}
"""Where each screen is reached from, and with which keys."""


def names() -> list[str]:
    """All screens and dialogs of the program that are ever shown."""
    found: dict[str, type[Any]] = {}
    for package in (cloudstore_tui.ui.dialogs, cloudstore_tui.ui.screens):
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            for value in vars(import_module(module.name)).values():
                if isinstance(value, type) and issubclass(value, Screen) and value.__module__ == module.name:
                    found[value.__name__] = value
    bases = {"Dialog", "QuestionDialog", "NumberQuestion", "CompletingDialog", "ExplainingScreen"}
    return sorted(set(found) - bases)


def without_line() -> list[str]:
    """Those that nobody wrote down here how to open."""
    return sorted(set(names()) - {*MADE, *SCREENS})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the argument `surface` runs for every screen and dialog."""
    if "surface" in metafunc.fixturenames:
        metafunc.parametrize("surface", sorted({*MADE, *SCREENS}))


@pytest.fixture
def unknown() -> list[str]:
    """Screens and dialogs that are not walked: they need a line in `MADE` or `SCREENS`."""
    return without_line()


@pytest.fixture
def searches(searches: Any) -> Any:
    """A service that knows the calls of its objects."""

    class CallService(type(searches)):  # type: ignore[misc]  # the class of the fake lives in a conftest
        def object(self, number: int, query: Any) -> StoredObject:
            made: StoredObject = super().object(number, query)
            return replace(made, tags=(("callId", "c1"), ("agentName", "Khang Glynn")))

        async def related(self, entry: StoredObject, *, everywhere: bool = False) -> Page[StoredObject]:
            return Page((replace(OBJECT, type="transcription", tags=(("callId", "c1"),)),))

    searches.__class__ = CallService
    return searches


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Callable[..., Any]:
    """Open a surface: `async with shown("SortDialog", size=(80, 24)) as it`."""

    async def read(first: int, count: int) -> Piece:
        data = b'{"a": [1, 2, {"b": null}]}'
        return Piece(data[first : first + count], len(data))

    behind = {"pieces": {"report-000.tar": read}, "transfers": transfers(tmp_path)}

    class Opener:
        """Opens the browser, then the surface over it."""

        def __init__(self, surface: str, **options: Any) -> None:
            start, self._keys = SCREENS.get(surface, ("acme8:us-east/", ()))
            self._surface = surface
            self._browser = browser(start=start, behind=behind, **options)

        async def __aenter__(self) -> Any:
            it = await self._browser.__aenter__()
            if self._surface in MADE:
                it.app.push_screen(MADE[self._surface](tmp_path))
            else:
                await it.press(*self._keys)
            await it.until(lambda: type(it.app.screen).__name__ == self._surface)
            await it.settle()
            return it

        async def __aexit__(self, *error: Any) -> None:
            await self._browser.__aexit__(*error)

    return Opener
