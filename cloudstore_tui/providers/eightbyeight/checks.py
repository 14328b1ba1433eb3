"""The checks of `profile test` and `doctor`."""

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
"""An id that no object has: a request about it changes nothing."""


async def check_profile(client: EightByEightClient, searcher: Searcher) -> tuple[Check, ...]:
    """Token, product, regions, a listing in each, level and clock, up to the first failure."""
    checklist = Checklist(client.profile.name, lambda: client.clock_skew)
    steps = [("token", partial(_token, client)), ("product", partial(_product, client))]
    ok = await checklist.run([*steps, ("regions", partial(_regions, client))])
    if ok:
        regions = await client.regions()
        ok = await checklist.run([(region, partial(_listing, client, searcher, region)) for region in regions])
        if ok and regions and not client.profile.read_only:
            ok = await checklist.run([("level", partial(_level, client, regions[0]))])
    return checklist.end(ok=ok)


async def _token(client: EightByEightClient) -> str | Doubt:
    token = await client.login.token()
    return f"valid {token.life / 60:.0f} min"


async def _product(client: EightByEightClient) -> str | Doubt:
    """Only a doubt: the check of the regions shows whether the key works."""
    await client.login.token()
    if client.doubt:
        return Doubt(f"{client.doubt}: it takes a key made for Call Recordings & Storage", _MADE_FOR)
    return PRODUCT if client.products else "the service does not say"


async def _regions(client: EightByEightClient) -> str | Doubt:
    try:
        names = ", ".join(await client.regions())
    except ForbiddenError as error:
        hint = f'{_MADE_FOR} Or set regions = ["us-east"] in the profile, if you know your region.'
        raise error.with_(hint=hint) from None
    return f"{names} (of the profile)" if client.profile.texts("regions") else names


async def _listing(client: EightByEightClient, searcher: Searcher, region: str) -> str | Doubt:
    try:
        page = await searcher.region_page(Query(Location(client.profile.name, region)), region, limit=1)
    except (ForbiddenError, MissingError) as error:
        if not await client.knows(region):
            words = f": {error.service_message.rstrip('. ')}" if error.service_message else ""
            hint = f"{error.hint} Correct regions in profile {client.profile.name}, or leave it out.".lstrip()
            message = f"{region} is not a region of this customer{words}"
            raise error.with_(message=message, hint=hint) from None
        if isinstance(error, ForbiddenError):
            raise error.with_(hint=_MADE_FOR) from None
        raise
    return "has objects" if page.given else "is empty"


async def _level(client: EightByEightClient, region: str) -> str | Doubt:
    """Whether the key may change anything, by the reply to a request about an object that does not exist."""
    path, body = f"objects/{_NOBODY}/restore", {"expirationDays": 1}
    try:
        await client.send("POST", region, path, subject=client.profile.name, level=EDIT, body=body)
    except ForbiddenError:
        return Doubt(
            "the profile allows changes, but the key does not: deleting and restoring take one of the level edit",
            f"Make a key of the level edit, or set read_only = true in profile {client.profile.name}.",
        )
    except (MissingError, UsageError):
        pass
    return "the key may change and delete"
