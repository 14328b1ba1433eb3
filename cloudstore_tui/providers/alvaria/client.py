"""Requests to the service: token, object keys, signed links, delete; and what its refusals mean."""

import re
import shlex
from urllib.parse import unquote

from cloudstore_tui.core.errors import (
    ConfigError,
    ForbiddenError,
    LoginError,
    MissingError,
    StorageError,
    UsageError,
)
from cloudstore_tui.core.profile import Profile, Secret
from cloudstore_tui.core.records import json_object
from cloudstore_tui.net.api import ApiClient, Pairs, api_address, host_name, segment, split_origin
from cloudstore_tui.net.auth import AccessToken, Login, basic, read_secret, token_life
from cloudstore_tui.net.reply import Reply, message_of
from cloudstore_tui.providers.alvaria.scopes import needs_v3, usual_scope
from cloudstore_tui.providers.alvaria.wire import AlvariaTokenReply, ObjectKey, ObjectKeys, SignedReply


class BadRequestError(UsageError):
    """The service does not understand the request: status 400."""


class Refusals:
    """The hints for one profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def explain(self, reply: Reply, error: StorageError) -> StorageError:
        """What is behind a status, before it is known which key the request was about."""
        if reply.status == 400:
            return BadRequestError(
                error.message,
                subject=error.subject,
                status=reply.status,
                service_code=error.service_code,
                service_message=error.service_message,
            )
        if reply.status not in (401, 403):
            return error
        # The token service took the credentials just now, so this is about the folder and not about the login.
        if not _is_gateway(reply.body):
            return ForbiddenError(
                error.message, subject=error.subject, status=reply.status, service_message=error.service_message
            )
        return LoginError(
            "the service does not know the api key of the profile",
            subject=error.subject,
            hint=f"Check the api_key of profile {self._profile.name}: Alvaria gave it out for the header x-api-key.",
        )

    def about(self, error: StorageError, key: str) -> StorageError:
        """The same error with a hint for this key."""
        if isinstance(error, ForbiddenError) and not error.hint:
            return self._no_permission(error, key)
        if isinstance(error, MissingError) and not error.hint:
            return error.with_(hint=self._where_to_look(key))
        return error

    def login(self, error: StorageError) -> StorageError:
        """A token that was refused, with what to check."""
        if not isinstance(error, LoginError):
            return error
        name = self._profile.name
        if error.service_code == "invalid_scope":
            hint = f"Check scopes of profile {name}, and ask Alvaria whether its client was given them."
        else:
            hint = (
                f"Check client_id, the secret, org and token_host of profile {name}. An expired secret is "
                "refused in the same way: Alvaria gives out a new one."
            )
        return error.with_(hint=hint)

    def _no_permission(self, error: ForbiddenError, key: str) -> StorageError:
        name, scope = self._profile.name, usual_scope(key)
        words = error.service_message.rstrip(". ")
        if not scope:
            hint = f"Check scopes of profile {name}, and ask Alvaria whether its client was given them."
        elif scope in self._profile.texts("scopes"):
            hint = f"It usually needs the scope {scope}, which the profile asks for: was the client given it?"
        else:
            hint = f"It usually needs the scope {scope}: add it to scopes of profile {name}."
        folder = key[: key.rfind("/") + 1] or key
        message = f"no permission for the folder {folder}" + (f" ({words})" if words else "")
        return ForbiddenError(message, subject=error.subject, hint=hint)

    def _where_to_look(self, key: str) -> str:
        name = self._profile.name
        if self._profile.text("api_version") == "v2" and needs_v3(key):
            return f'This folder needs v3: set api_version = "v3" in profile {name}.'
        if key.endswith("/") or "." in key.rpartition("/")[2]:
            return f"See what is there: cloudstore ls {shlex.quote(f'{name}:{_above(key)}')}"
        return f"If it is a folder, write it with a slash at its end: {name}:{key}/"


def _above(key: str) -> str:
    return key.rstrip("/").rpartition("/")[0] + "/" if "/" in key.rstrip("/") else ""


def _is_gateway(body: bytes) -> bool:
    told = json_object(body) or {}
    return set(told) == {"message"} and str(told["message"]).lower() == "forbidden"


PAGE = 500
"""Entries asked for at once; the service may give fewer."""

TOKEN_PATH = "/tokenservice/oauth2/access_token"

RENEW_ON = frozenset({401, 403})
"""A missing scope is a 401 on some systems and a 403 on others, so both are given a new token once."""


_ORG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})")


def read_org(text: str) -> str:
    """Give an organisation's id back.

    Raises:
        ConfigError: it cannot be one, as it cannot be the first part of a host name.
    """
    if not _ORG.fullmatch(text):
        hint = "It is one word of letters, digits and -, such as acme in acme.via.aspect-cloud.net."
        raise ConfigError("is not an organisation id", hint=hint)
    return text


class AlvariaClient:
    """Speaks to one organisation's API in the version of its profile."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._org = self._configured_org()
        self.version = profile.text("api_version") or "v3"
        self._refusals = Refusals(profile)
        origin, self._token_path = self._token_address()
        self._tokens = ApiClient(profile, origin)
        self.login = Login(self._fetch_token, self._api_key)
        self._api = ApiClient(profile, self._api_base(), self.login, explain=self._refusals.explain, renew_on=RENEW_ON)
        self._path = f"via/{self.version}/organizations/{segment(self._org)}/mediaStorage/data"
        self.local = self._api.local
        """Whether the API is on this machine."""

    @property
    def pace_used(self) -> float:
        """The share of a minute's calls that the last minute has seen."""
        return self._api.pace_used

    @property
    def note(self) -> str:
        """What is waited for, as a clause; empty when nothing is."""
        return self._api.note or self._tokens.note

    @property
    def clock_skew(self) -> float:
        """Seconds by which the service's clock is ahead of ours."""
        return self._api.clock_skew or self._tokens.clock_skew or 0.0

    @property
    def token_host(self) -> str:
        """Where tokens come from."""
        return self._tokens.host

    async def keys(self, key: str, kind: str, subject: str, *, token: str = "", most: int = PAGE) -> ObjectKeys:
        """One page of `objectKeys` for a key and a key type."""
        query = [("key", key), ("keyType", kind), ("maxResults", str(most))]
        name = "nextToken" if self.version == "v3" else "continuationToken"
        try:
            reply = await self._get("objectKeys", [*query, (name, token)] if token else query, key, subject)
        except BadRequestError:
            if "%" not in token:
                raise
            # Some tokens come encoded already, and are known to the service without that only.
            reply = await self._get("objectKeys", [*query, (name, unquote(token))], key, subject)
        answer = reply.decode(ObjectKeys, subject=subject)
        # Without entries, what speaks is no empty folder: it is an error that came with the status of a success.
        keys = answer.object_keys
        is_list = isinstance(keys, list)
        is_absent = keys is None and not token
        if not (is_list or is_absent) or answer.has_odd_token or (not keys and message_of(reply.body)):
            raise reply.unlike("a listing", subject)
        return answer

    async def signed(self, key: str, direction: str, subject: str, *, native: bool) -> ObjectKey:
        """The reply with signed links for one key; `direction` is `download` or `upload`."""
        name = f"signed{direction.title()}Url"
        if self.version == "v3":
            reply = await self._get(name, [("key", key)], key, subject)
        else:
            kind = f"nativeS{name[1:]}" if native else name
            reply = await self._get("objectKeys", [("key", key), ("keyType", kind)], key, subject)
        return reply.decode(SignedReply, subject=subject).about(key)

    async def delete(self, key: str, subject: str) -> None:
        """Delete one file: 204 in v2, 200 with a message in v3."""
        try:
            await self._api.send("DELETE", f"{self._path}/objectKeys", [("key", key)], subject=subject)
        except StorageError as error:
            raise self._refusals.about(error, key) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
        await self._tokens.close()

    async def _get(self, resource: str, query: Pairs, key: str, subject: str) -> Reply:
        path = f"{self._path}/{resource}"
        try:
            return await self._api.get(path, query, subject=subject)
        except StorageError as error:
            raise self._refusals.about(error, key) from None

    async def _fetch_token(self) -> AccessToken:
        profile = self._profile
        secret = await read_secret(profile, "secret")
        scopes = " ".join(profile.texts("scopes"))
        # The vendor's pages disagree on where the realm goes, so it goes to both places.
        realm = ("realm", self._org)
        form = [("grant_type", "client_credentials"), ("scope", scopes), realm]
        headers = {"Authorization": basic(profile.text("client_id"), secret)}
        try:
            reply = await self._tokens.post_form(self._token_path, [realm], form, headers, profile.name)
        except StorageError as error:
            raise self._refusals.login(error) from None
        answer = reply.decode(AlvariaTokenReply, subject=profile.name)
        return AccessToken(Secret(answer.access_token), token_life(answer.expires_in), answer.scopes)

    async def _api_key(self) -> dict[str, Secret]:
        return {"x-api-key": await read_secret(self._profile, "api_key")}

    def _configured_org(self) -> str:
        try:
            return read_org(self._profile.text("org"))
        except ConfigError as error:
            raise error.with_(subject=f"org of profile {self._profile.name}") from None

    def _api_base(self) -> str:
        profile = self._profile
        if base := profile.text("api_base"):
            return api_address(base, option="api_base", profile=profile.name)
        domain = self._host("domain", "via.aspect-cloud.net", "api_base")
        return f"https://{self._org.lower()}.{domain}"

    def _token_address(self) -> tuple[str, str]:
        """The origin and the path of the token service."""
        profile = self._profile
        url = profile.text("token_url")
        if not url:
            return f"https://{self._host('token_host', 'myaspect.id.aspect-cloud.net', 'token_url')}", TOKEN_PATH
        origin, path = split_origin(api_address(url, option="token_url", profile=profile.name, path=True))
        return origin, path or TOKEN_PATH

    def _host(self, option: str, example: str, other: str) -> str:
        profile = self._profile
        if not (name := profile.text(option)):
            raise ConfigError(
                f"{option} is missing",
                subject=f"profile {profile.name}",
                hint=f'Set {option}, for example "{example}", or the whole address as {other}.',
            )
        return host_name(name, option=option, profile=profile.name)
