"""What `profile test` looks at."""

from collections.abc import Awaitable, Callable
from functools import partial

from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.location import Location
from cloudstore_tui.core.provider import Check
from cloudstore_tui.core.query import Query
from cloudstore_tui.providers.eightbyeight.client import PRODUCT, EightByEightClient
from cloudstore_tui.providers.eightbyeight.search import Searcher

MOST_SKEW = 300.0
"""Seconds by which the clocks may differ before presigned links become unreliable."""


class Checks:
    """Looks at everything that a profile needs."""

    def __init__(self, client: EightByEightClient, searcher: Searcher) -> None:
        self._client = client
        self._searcher = searcher
        self._name = client.profile.name

    async def run(self) -> tuple[Check, ...]:
        """Token, product, regions, a listing in each, and clock, until the first thing that is wrong."""
        found: list[Check] = []
        for title, look in (("token", self._token), ("product", self._product), ("regions", self._regions)):
            found.append(await _checked(title, look))
            if found[-1].error:
                return tuple(found)
        for region in await self._client.regions():
            found.append(await _checked(region, partial(self._listing, region)))
            if found[-1].error:
                return tuple(found)
        return (*found, await _checked("clock", self._clock))

    async def _token(self) -> tuple[bool, str]:
        token = await self._client.login.token()
        return True, f"good for {token.life / 60:.0f} min"

    async def _product(self) -> tuple[bool, str]:
        """A doubt only: whether the key is good for something shows in the regions."""
        await self._client.login.token()
        if self._client.doubt:
            return False, f"{self._client.doubt}: it takes a key made for Call Recordings & Storage"
        return True, PRODUCT if self._client.products else "the service does not tell"

    async def _regions(self) -> tuple[bool, str]:
        names = ", ".join(await self._client.regions())
        return True, f"{names} (of the profile)" if self._client.profile.texts("regions") else names

    async def _listing(self, region: str) -> tuple[bool, str]:
        page = await self._searcher.slice(Query(Location(self._name, region)), region, limit=1)
        return True, "has objects" if page.given else "is empty"

    async def _clock(self) -> tuple[bool, str]:
        skew = self._client.clock_skew
        if abs(skew) > MOST_SKEW:
            raise StorageError(
                f"this machine's clock is {abs(skew) / 60:.0f} min {'behind' if skew > 0 else 'ahead'}",
                place=self._name,
                cure="Set it: presigned links and tokens depend on it.",
            )
        return True, "agrees with the service"


async def _checked(title: str, look: Callable[[], Awaitable[tuple[bool, str]]]) -> Check:
    try:
        ok, text = await look()
    except StorageError as error:
        return Check(title, False, str(error), error)
    return Check(title, ok, text)
