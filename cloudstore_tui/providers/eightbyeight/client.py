"""Requests to the API of one customer: token, regions, and everything below a region."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from msgspec.structs import replace

from cloudstore_tui.core.errors import (
    ConfigError,
    ForbiddenError,
    LoginError,
    MissingError,
    NetworkError,
    ReplyError,
    StorageError,
    UnavailableError,
    UsageError,
)
from cloudstore_tui.core.models import Location
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.net.api import ApiClient, api_address, segment, split_origin
from cloudstore_tui.net.auth import AccessToken, Login, basic, read_secret, token_life
from cloudstore_tui.net.reply import Reply
from cloudstore_tui.providers.eightbyeight import wire

HOME = "https://api.8x8.com"
PRODUCT = "storage"
"""What the API key has to be made for; the vendor calls it "Call Recordings & Storage"."""
DISCOVERY = ("us-east", "uk")
"""The regions to ask which regions a customer has; every region of the service knows."""
EXPLANATION_TIMEOUT_S = 10.0
"""How long to look for a more helpful error message."""
READ, DOWNLOAD, EDIT = "read-only", "download-only", "edit"
"""The levels of API keys; each includes the ones before."""

Pairs = Sequence[tuple[str, str]]


class EightByEightClient:
    """Speaks to the API of one customer in all of its regions."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.base = api_address(profile.text("api_base") or HOME, option="api_base", profile=profile.name)
        self._configured = self._configured_regions()
        origin, self._token_path = self._token_address()
        self._tokens = ApiClient(profile, origin)
        # The service wants to know the type of a body even where there is none.
        self.login = Login(self._fetch_token, lambda: {"Content-Type": Secret("application/json")})
        self._api = ApiClient(profile, self.base, self.login)
        self.local = self._api.local
        """Whether the API is on this machine."""
        self._regions: tuple[str, ...] = ()
        self._discovery = asyncio.Lock()
        self._tried_discovery = False
        self._unusable_names = 0
        self.products: tuple[str, ...] = ()
        """The products that the key was made for; empty until a token was fetched."""

    @property
    def pace_used(self) -> float:
        """Calls of the last minute as a share of the profile's limit."""
        return self._api.pace_used

    @property
    def note(self) -> str:
        """What is being waited for, else a doubt about the login, as a clause; empty if there is nothing to say."""
        return self._api.note or self._tokens.note or self.doubt

    @property
    def doubt(self) -> str:
        """Why the login may be useless: the key was made for other products."""
        if not self.products or PRODUCT in self.products:
            return ""
        return f"the key was made for {', '.join(self.products)}, not for {PRODUCT}"

    @property
    def warnings(self) -> tuple[str, ...]:
        """The doubt as a sentence, if there is one."""
        return (f"{self.doubt[:1].upper()}{self.doubt[1:]}.",) if self.doubt else ()

    @property
    def failures(self) -> tuple[StorageError, ...]:
        """What the list of regions lacks: regions whose names cannot be used."""
        number = self._unusable_names
        if not number:
            return ()
        what = "1 region has a name" if number == 1 else f"{number} regions have names"
        hint = "Its support team can find out what is wrong."
        return (ReplyError(f"{what} that cannot be used", subject=f"{self.profile.name}:", hint=hint),)

    @property
    def clock_skew(self) -> float:
        """Seconds by which the service's clock is ahead of ours."""
        return self._api.clock_skew or self._tokens.clock_skew or 0.0

    def path(self, region: str, path: str) -> str:
        """The path of a resource in a region."""
        return f"storage/{segment(region)}/v3/{path}"

    def url(self, region: str, path: str) -> Secret:
        """The URL of a resource in a region."""
        return Secret(f"{self.base}/{self.path(region, path)}")

    async def authorization(self) -> dict[str, Secret]:
        """The headers of a request for bytes from the API's own host."""
        headers = await self.login.headers()
        return {name: value for name, value in headers.items() if name == "Authorization"}

    async def get(
        self, region: str, path: str, query: Pairs = (), *, subject: str, level: str = READ, redirect: bool = False
    ) -> Reply:
        """Read something in a region, which requires a key of this level."""
        try:
            return await self._api.get(self.path(region, path), query, subject=subject, redirect=redirect)
        except StorageError as error:
            raise await self._explained(error, region, level) from None

    async def send(
        self, method: str, region: str, path: str, *, subject: str, level: str, body: object | None = None
    ) -> Reply:
        """Change something in a region, which requires a key of this level; sent once."""
        try:
            return await self._api.send(method, self.path(region, path), body=body, subject=subject)
        except StorageError as error:
            raise await self._explained(error, region, level) from None

    async def regions(self) -> tuple[str, ...]:
        """The customer's regions: those of the profile, else those that the service reports, asked once.

        Raises:
            ForbiddenError: no storage is provisioned for this key.
        """
        if self._configured:
            return self._configured
        async with self._discovery:
            if not self._regions:
                self._regions = await self._discover()
        return self._regions

    async def knows(self, region: str) -> bool:
        """Whether a region may be one of the customer's; true if the list of regions is unknown."""
        known = await self._known_regions()
        return not known or region in known

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
        await self._tokens.close()

    async def _discover(self) -> tuple[str, ...]:
        subject = f"{self.profile.name}:"
        errors: list[StorageError] = []
        for region in DISCOVERY:
            try:
                reply = await self._api.get(self.path(region, "regions"), subject=subject)
            except (ConfigError, NetworkError):
                raise
            except (ForbiddenError, MissingError, UsageError, UnavailableError) as error:
                errors.append(error)
                continue
            except LoginError as error:
                raise self._refused(error) from None
            names, self._unusable_names = wire.regions(reply, subject)
            if names:
                return names
        for failure in self.failures:
            raise failure
        if len(errors) == len(DISCOVERY) and not isinstance(errors[0], ForbiddenError):
            raise errors[0]
        raise ForbiddenError(
            "no storage is provisioned for this key",
            subject=subject,
            hint='Ask 8x8 for Call Recordings & Storage, or set regions = ["us-east"] in the profile.',
        )

    async def _explained(self, error: StorageError, region: str, level: str) -> StorageError:
        """The error, with a hint if its status leaves the cause open."""
        if isinstance(error, LoginError):
            return self._refused(error)
        if error.hint or not isinstance(error, ForbiddenError | MissingError):
            return error
        if not await self.knows(region):
            regions = ", ".join(await self._known_regions())
            return error.with_(hint=f"The regions of {self.profile.name} are: {regions}.")
        if isinstance(error, ForbiddenError):
            return error.with_(
                hint="The key needs the product Call Recordings & Storage, and its owner the role Storage API."
                if level == READ
                else f"This takes a key of the level {level}, made by somebody with the role Storage API."
            )
        return error

    def _refused(self, error: LoginError) -> LoginError:
        if error.hint:
            return error
        return error.with_(
            hint=f"Check client_id and the secret of profile {self.profile.name}. An expired or removed key "
            "is refused in the same way: API Keys in the Admin Console shows it."
        )

    async def _known_regions(self) -> tuple[str, ...]:
        """The regions that the service reports, asked once, else those of the profile; empty if neither is known."""
        async with self._discovery:
            if not self._tried_discovery:
                self._tried_discovery = True
                with suppress(StorageError, TimeoutError):
                    async with asyncio.timeout(EXPLANATION_TIMEOUT_S):
                        self._regions = self._regions or await self._discover()
        return self._regions or self._configured

    async def _fetch_token(self) -> AccessToken:
        profile = self.profile
        secret = await read_secret(profile, "secret")
        headers = {"Authorization": basic(profile.text("client_id"), secret)}
        form = [("grant_type", "client_credentials")]
        try:
            reply = await self._tokens.post_form(self._token_path, (), form, headers, profile.name)
        except LoginError as error:
            raise self._refused(error) from None
        answer = reply.decode(wire.EightByEightTokenReply, subject=profile.name)
        self.products = answer.products
        return AccessToken(Secret(answer.access_token), token_life(answer.expires_in))

    def _token_address(self) -> tuple[str, str]:
        """The origin and the path of the token service."""
        url = self.profile.text("token_url") or f"{self.base}/oauth/v2/token"
        return split_origin(api_address(url, option="token_url", profile=self.profile.name, path=True))

    def _configured_regions(self) -> tuple[str, ...]:
        try:
            return wire.read_regions(self.profile.texts("regions"))
        except ConfigError as error:
            raise error.with_(subject=f"regions of profile {self.profile.name}") from None


def region_of(location: Location) -> Location:
    """The region that a place or object is in."""
    return replace(location, path="", place=())
