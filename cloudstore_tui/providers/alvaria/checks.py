"""What `profile test` looks at."""

from collections.abc import Awaitable, Callable

from cloudstore_tui.core.errors import LoginError, StorageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.scopes import FOLDERS

MOST_SKEW = 300.0
"""Seconds by which the clocks may differ before signed links become unreliable."""


class Checks:
    """Looks at everything that a profile needs."""

    def __init__(self, profile: Profile, client: AlvariaClient) -> None:
        self._profile = profile
        self._client = client

    async def run(self) -> tuple[Check, ...]:
        """Token, scopes, folders and clock, until the first thing that is wrong."""
        steps: dict[str, Callable[[], Awaitable[str]]] = {
            "token": self._token,
            "scopes": self._scopes,
            "folders": self._folders,
            "clock": self._clock,
        }
        found: list[Check] = []
        for title, look in steps.items():
            try:
                found.append(Check(title, True, await look()))
            except StorageError as error:
                return (*found, Check(title, False, str(error), error))
        return tuple(found)

    async def _token(self) -> str:
        token = await self._client.login.token()
        return f"{self._client.token_host} gave one for {token.life / 60:.0f} min"

    async def _scopes(self) -> str:
        granted = (await self._client.login.token()).granted
        asked = self._profile.texts("scopes")
        if not granted:
            return f"{len(asked)} asked for; the service does not say which it granted"
        if missing := [scope for scope in asked if scope not in granted]:
            raise LoginError(
                f"not granted: {', '.join(missing)}",
                place=self._profile.name,
                cure="Ask Alvaria for them, or take them out of scopes of the profile.",
            )
        return f"{len(asked)} granted"

    async def _folders(self) -> str:
        """One folder that the scopes should open: whether the API key and the organisation are right, too."""
        folder = next((FOLDERS[scope] for scope in self._profile.texts("scopes") if scope in FOLDERS), "exports/")
        await self._client.keys(folder, "directory", f"{self._profile.name}:{folder}", most=1)
        return f"{folder} can be listed with {self._client.version}"

    async def _clock(self) -> str:
        skew = self._client.clock_skew
        if abs(skew) > MOST_SKEW:
            raise StorageError(
                f"this machine's clock is {abs(skew) / 60:.0f} min {'behind' if skew > 0 else 'ahead'}",
                place=self._profile.name,
                cure="Set it: signed links and tokens depend on it.",
            )
        return "agrees with the service"
