"""Setting up: how to get API keys, adding a profile, and checking everything."""

import textwrap
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

from msgspec.structs import replace
from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import ConfigError, StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.doctor import CheckResult, CheckStatus, examine, failed
from cloudstore_tui.transfers.engine_thread import EngineThread
from cloudstore_tui.ui.base_screen import BaseScreen
from cloudstore_tui.ui.text import plain, show
from cloudstore_tui.ui.widgets.cursor_list import PagedText
from cloudstore_tui.ui.widgets.fields import ChoiceLine

SANDBOX = """\
The sandbox

To try a profile without an account: type `cloudstore sandbox` in another terminal and leave it running. Its first \
line names a folder with a configuration. Look into that file: it shows the client ids, and beside it are the secrets.

1. Choose the service 8x8, and as client id what stands under [profiles.acme8].
2. As secret the text in the file acme8.secret of that folder.
3. Under Advanced options, as API address the base_url of the first line, such as http://127.0.0.1:40123.
4. Test and save.

`cloudstore demo` does all of that by itself, and keeps nothing.
"""
_BULLET = "* "
_WIDEST = 100


class KeyGuideScreen(BaseScreen[None]):
    """A guide for each service; Left and Right switch between them."""

    CSS = "KeyGuideScreen #service { padding: 0 1; margin-bottom: 1; }"
    AUTO_FOCUS = "#guide"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", tooltip="Back to where you were", id="guide.close"),
        Binding("right,l", "choose(1)", "Next service", tooltip="Next service", id="guide.next"),
        Binding("left,h", "choose(-1)", "Previous service", tooltip="Previous service", id="guide.before"),
    ]

    def __init__(self, guides: Mapping[str, str]) -> None:
        """Show guides by name of the service."""
        super().__init__()
        self._guides = guides

    def compose(self) -> ComposeResult:
        yield ChoiceLine(tuple(self._guides), id="service")
        yield PagedText(id="guide")

    def on_mount(self) -> None:
        self.header.show(["How to get keys"])

    def on_resize(self, event: events.Resize) -> None:
        self._set(event.size.width)

    def on_choice_line_changed(self) -> None:
        self._set(self.size.width)
        self.query_one("#guide").scroll_home(animate=False)

    def action_choose(self, step: int) -> None:
        self.query_one(ChoiceLine).action_choose(step)

    def _set(self, width: int) -> None:
        text = self._guides[self.query_one("#service", ChoiceLine).value]
        lines = [line for part in text.splitlines() for line in _wrapped(part, min(max(width - 4, 30), _WIDEST))]
        title, *rest = lines
        head = Content.styled(title, "bold")
        self.query_one(PagedText).text.update(Content("\n").join([head, *(show(line) for line in rest)]))


def _wrapped(part: str, width: int) -> list[str]:
    """The lines of a paragraph, or of a list item with a hanging indent."""
    number = part.partition(". ")[0]
    indent = len(_BULLET) if part.startswith(_BULLET) else len(number) + 2 if number.isdigit() else 0
    return textwrap.wrap(part, width, subsequent_indent=" " * indent, break_long_words=False) or [""]


_FIRST = (CheckStatus.FAIL, CheckStatus.WARN)
_STYLES = {CheckStatus.OK: "$text-success", CheckStatus.WARN: "$text-warning", CheckStatus.FAIL: "bold $text-error"}


class DoctorScreen(BaseScreen[None]):
    """Shows check results as they come, with hints; failures and warnings are moved to the top at the end."""

    AUTO_FOCUS = "#results"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Back", tooltip="Back to where you were", id="doctor.close"),
        Binding("r,f5", "again", "Again", tooltip="Check everything again", id="doctor.again"),
    ]

    def __init__(self, examine: Callable[[], AsyncIterator[CheckResult]]) -> None:
        """`examine` runs all checks; it is called again on `r`."""
        super().__init__()
        self._examine = examine
        self.results: list[CheckResult] = []

    def compose(self) -> ComposeResult:
        yield PagedText(id="results")

    def on_mount(self) -> None:
        self.action_again()

    def action_again(self) -> None:
        self.run_worker(self._run_checks(), group="doctor", exclusive=True)

    async def _run_checks(self) -> None:
        self.results = []
        self.header.show(["Check everything"], "checking…")
        async for result in self._examine():
            self.results.append(result)
            self._draw()
        self.results.sort(key=lambda result: _FIRST.index(result.status) if result.status in _FIRST else len(_FIRST))
        self._draw()
        wrong = sum(result.status is CheckStatus.FAIL for result in self.results)
        doubtful = sum(result.status is CheckStatus.WARN for result in self.results)
        more = f", {doubtful} to look at" if doubtful else ""
        self.header.show(["Check everything"], f"{wrong or 'nothing'} wrong{more}")

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width = max(self.size.width - 4, 30)
        for shown in self.query(PagedText):  # none if the screen was closed
            shown.text.update(Content("\n").join(_lines(result, width) for result in self.results))


def _lines(result: CheckResult, width: int) -> Content:
    """A result and its hint, wrapped with hanging indents."""
    status = Content.styled(f"{result.status:4}", _STYLES.get(result.status, ""))
    head = f"  {plain(f'{result.subject} {result.title}'.strip()):22}  "
    lines = [Content.assemble(status, _hanging(head, plain(result.text), width - 4, " " * 4))]
    if result.hint and result.status is not CheckStatus.SKIP:
        lines.append(Content(_hanging("      → ", plain(result.hint), width)))
    return Content("\n").join(lines)


def _hanging(head: str, text: str, width: int, margin: str = "") -> str:
    below = f"\n{margin}{' ' * len(head)}"
    return head + below.join(textwrap.wrap(text, max(width - len(head), 20), break_on_hyphens=False))


@dataclass(eq=False)
class SetupController:
    """Adds profiles to the running program, and runs the checks."""

    app: App[None]
    engine: EngineThread
    """Opens new profiles."""
    specs: Sequence[ProviderSpec]
    """The supported services."""
    path: Path
    """The configuration file."""
    download_dir: Path
    """The download folder of this run."""

    async def guide(self) -> None:
        """Show how to get API keys for each service."""
        guides = {spec.name.capitalize(): spec.guide for spec in self.specs} | {"Sandbox": SANDBOX}
        await self.app.push_screen_wait(KeyGuideScreen(guides))

    async def check(self) -> None:
        """Check the configuration, the services and this machine."""
        await self.app.push_screen_wait(DoctorScreen(self._examine))

    async def _examine(self) -> AsyncIterator[CheckResult]:
        try:
            # Read again, as it may have been edited since the start.
            config = load_config(self.path, self.specs)
        except StorageError as error:
            yield failed("", "configuration", error)
            return
        if not self.engine.keeps:
            config = replace(config, settings=replace(config.settings, download_dir=self.download_dir))
        async for result in examine(config, self.specs, self._provider, keeps=self.engine.keeps):
            yield result

    def _provider(self, name: str) -> StorageProvider:
        if name not in self.engine.providers:
            raise ConfigError("was added while the program ran", subject=name, hint="Start the program again.")
        return self.engine.providers[name]

    async def add(self) -> Profile | None:
        """Ask for a new profile and open it; `None` if cancelled."""
        from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen

        taken = self.engine.providers
        profile = await self.app.push_screen_wait(ProfileFormScreen(self.specs, self.path, taken))
        if profile is not None:
            spec = next(spec for spec in self.specs if spec.name == profile.provider)
            self.engine.add(profile.name, partial(spec.open, profile))
        return profile
