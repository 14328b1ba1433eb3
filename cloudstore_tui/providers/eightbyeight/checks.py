"""What `profile test` and `doctor` look at."""

from functools import partial

from cloudstore_tui.core.errors import ForbiddenError, MissingError, UsageError
from cloudstore_tui.core.models import Location, Query
from cloudstore_tui.core.provider import Check
from cloudstore_tui.net.checklist import Checklist, Doubt
from cloudstore_tui.providers.eightbyeight.client import EDIT, PRODUCT, EightByEightClient
from cloudstore_tui.providers.eightbyeight.search import Searcher

_MADE_FOR = (
    "Under API Keys in the Admin Console make a key for the product Call Recordings & Storage. Whoever makes it needs "
    "the role Storage API, which the Super Admin grants; changes take some minutes."
)
_NOBODY = "00000000-0000-4000-8000-000000000000"
"""The id of no object: what is asked for it changes nothing."""


class EightByEightChecks:
    """Looks at everything that a profile needs."""

    def __init__(self, client: EightByEightClient, searcher: Searcher) -> None:
        self._client = client
        self._searcher = searcher
        self._name = client.profile.name

    async def run(self) -> tuple[Check, ...]:
        """Token, product, regions, a listing in each, level and clock, until the first thing that is wrong."""
        checklist = Checklist(self._name, lambda: self._client.clock_skew)
        well = await checklist.run([("token", self._token), ("product", self._product), ("regions", self._regions)])
        if well:
            regions = await self._client.regions()
            well = await checklist.run([(region, partial(self._listing, region)) for region in regions])
            if well and regions and not self._client.profile.read_only:
                well = await checklist.run([("level", partial(self._level, regions[0]))])
        return checklist.end(well=well)

    async def _token(self) -> str | Doubt:
        token = await self._client.login.token()
        return f"valid {token.life / 60:.0f} min"

    async def _product(self) -> str | Doubt:
        """A doubt only: whether the key is good for something shows in the regions."""
        await self._client.login.token()
        if self._client.doubt:
            return Doubt(f"{self._client.doubt}: it takes a key made for Call Recordings & Storage", _MADE_FOR)
        return PRODUCT if self._client.products else "the service does not tell"

    async def _regions(self) -> str | Doubt:
        try:
            names = ", ".join(await self._client.regions())
        except ForbiddenError as error:
            hint = f'{_MADE_FOR} Or set regions = ["us-east"] in the profile, if you know your region.'
            raise error.with_(hint=hint) from None
        return f"{names} (of the profile)" if self._client.profile.texts("regions") else names

    async def _listing(self, region: str) -> str | Doubt:
        try:
            page = await self._searcher.region_page(Query(Location(self._name, region)), region, limit=1)
        except (ForbiddenError, MissingError) as error:
            if not await self._client.knows(region):
                words = f": {error.service_message.rstrip('. ')}" if error.service_message else ""
                hint = f"{error.hint} Correct regions in profile {self._name}, or leave it out.".lstrip()
                message = f"{region} is not a region of this customer{words}"
                raise error.with_(message=message, hint=hint) from None
            if isinstance(error, ForbiddenError):
                raise error.with_(hint=_MADE_FOR) from None
            raise
        return "has objects" if page.given else "is empty"

    async def _level(self, region: str) -> str | Doubt:
        """Whether the key may change anything, seen from what the service says to a request about no object."""
        path, body = f"objects/{_NOBODY}/restore", {"expirationDays": 1}
        try:
            await self._client.send("POST", region, path, subject=self._name, level=EDIT, body=body)
        except ForbiddenError:
            return Doubt(
                "the profile allows changes, but the key does not: deleting and restoring take one of the level edit",
                f"Make a key of the level edit, or set read_only = true in profile {self._name}.",
            )
        except (MissingError, UsageError):
            return "the key may change and delete"
        return "the key may change and delete"
