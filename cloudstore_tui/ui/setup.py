"""The way from nothing to a profile that can be used."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from msgspec.structs import replace
from textual.app import App
from textual.message import Message

from cloudstore_tui.config.profiles import load_config
from cloudstore_tui.core.errors import ConfigError, StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import StorageProvider
from cloudstore_tui.core.spec import ProviderSpec
from cloudstore_tui.doctor import CheckResult, examine, failed
from cloudstore_tui.ui.screens.home import HomeChoice
from cloudstore_tui.ui.screens.key_guide import KeyGuideScreen

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


class ProviderOwner(Protocol):
    """What owns the providers, by profile; their methods can be awaited in the loop of the app."""

    @property
    def providers(self) -> Mapping[str, StorageProvider]: ...

    @property
    def keeps(self) -> bool:
        """Whether transfers outlive the program; those of the demo do not."""

    def add(self, name: str, open_provider: Callable[[], StorageProvider]) -> None: ...


@dataclass
class ProfileAdded(Message):
    """There is one more profile, which can be used now."""

    profile: Profile


class SetupController:
    """Adds profiles to a program that runs, and finds out what is wrong."""

    def __init__(
        self, app: App[None], engine: ProviderOwner, specs: Sequence[ProviderSpec], path: Path, download_dir: Path
    ) -> None:
        """Make it.

        Args:
            app: where the screens are shown.
            engine: takes a new profile into use.
            specs: the services there are.
            path: the configuration that profiles are written to.
            download_dir: where downloads go in this run.
        """
        self._app = app
        self._download_dir = download_dir
        self._engine = engine
        self._specs = specs
        self._path = path
        self.wants_demo = False
        """Whether the user left for the sandbox."""

    async def go(self, way: HomeChoice) -> None:
        """Go one of the ways that somebody without profiles is offered."""
        if way is HomeChoice.DEMO:
            self.wants_demo = True
            self._app.exit()
        elif way is HomeChoice.GUIDE:
            await self._app.push_screen_wait(self._guide())
        else:
            await self.add()

    async def check(self) -> None:
        """Show what is wrong with the configuration, the services and this machine."""
        from cloudstore_tui.ui.screens.doctor import DoctorScreen

        await self._app.push_screen_wait(DoctorScreen(self._examine))

    async def _examine(self) -> AsyncIterator[CheckResult]:
        try:
            # Read again: it may have been mended since the start.
            config = load_config(self._path, self._specs)
        except StorageError as error:
            yield failed("", "configuration", error)
            return
        if not self._engine.keeps:
            config = replace(config, settings=replace(config.settings, download_dir=self._download_dir))
        async for result in examine(config, self._specs, self._provider, keeps=self._engine.keeps):
            yield result

    def _provider(self, name: str) -> StorageProvider:
        if name not in self._engine.providers:
            raise ConfigError("was added while the program ran", subject=name, hint="Start the program again.")
        return self._engine.providers[name]

    async def add(self) -> None:
        from cloudstore_tui.ui.screens.profile_form import ProfileFormScreen

        taken = self._engine.providers
        profile = await self._app.push_screen_wait(ProfileFormScreen(self._specs, self._path, taken))
        if profile is None:
            return
        spec = next(spec for spec in self._specs if spec.name == profile.provider)
        self._engine.add(profile.name, partial(spec.open, profile))
        self._app.post_message(ProfileAdded(profile))

    def _guide(self) -> KeyGuideScreen:
        return KeyGuideScreen({**{spec.name.capitalize(): spec.guide for spec in self._specs}, "Sandbox": SANDBOX})
