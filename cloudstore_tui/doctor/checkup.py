"""The order of a check-up: the configuration, each profile, this machine."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import ProviderSpec, StorageProvider
from cloudstore_tui.doctor.configuration import look_at_configuration
from cloudstore_tui.doctor.finding import Finding, Verdict, failed
from cloudstore_tui.doctor.machine import look_at_disk, look_at_terminal
from cloudstore_tui.doctor.secrets import look_at_secrets
from cloudstore_tui.doctor.service import LONGEST, look_at_service


class Checkup:
    """Looks at everything; what was found comes as it is found."""

    def __init__(
        self,
        config: Config,
        specs: Sequence[ProviderSpec],
        provider_of: Callable[[str], StorageProvider],
        patience: float = LONGEST,
    ) -> None:
        """Make it.

        Args:
            config: what was read without an error.
            specs: the services that there are.
            provider_of: opens a profile by its name; asked for only once its secrets are there.
            patience: seconds that each service may take.
        """
        self._config = config
        self._specs = {spec.name: spec for spec in specs}
        self._provider_of = provider_of
        self._patience = patience

    async def run(self, names: Sequence[str] = ()) -> AsyncIterator[Finding]:
        """All findings in order; of some profiles, or of all."""
        yield look_at_configuration(self._config)
        for name in names or list(self._config.profiles):
            async for finding in self._profile(self._config.profile(name)):
                yield finding
        for finding in await asyncio.to_thread(lambda: list(look_at_disk(self._config.settings.download_dir))):
            yield finding
        for finding in look_at_terminal(os.environ, terminal_size()):
            yield finding

    async def _profile(self, profile: Profile) -> AsyncIterator[Finding]:
        spec = self._specs[profile.provider]
        # A keyring or a command may take seconds, and the screen must not stand still.
        found = await asyncio.to_thread(lambda: list(look_at_secrets(profile, spec.secrets)))
        for finding in found:
            yield finding
        if any(finding.verdict is Verdict.FAIL for finding in found):
            yield Finding(profile.name, "service", Verdict.SKIP, "not checked: the secrets come first")
            return
        try:
            provider = self._provider_of(profile.name)
        except StorageError as error:
            yield failed(profile.name, "addresses", error)
            return
        async for finding in look_at_service(provider, self._patience):
            yield finding


def terminal_size() -> os.terminal_size | None:
    """That of the terminal; `None` without one."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):
            if stream is not None and stream.isatty():
                return os.get_terminal_size(stream.fileno())
    return None
