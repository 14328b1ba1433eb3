"""Requests to the service: token, object keys, signed links, delete; and what its refusals mean."""

import re
import shlex
from collections.abc import Collection
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
    """Makes the errors of one profile more specific, with hints."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile

    def explain(self, reply: Reply, error: StorageError) -> StorageError:
        """The error for a refusal, by its status; `about` adds what depends on the key."""
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
        # The token service has just accepted the credentials, so this is about the folder and not about the login.
        if not _is_from_gateway(reply.body):
            return ForbiddenError(
                error.message, subject=error.subject, status=reply.status, service_message=error.service_message
            )
        return LoginError(
            "the service does not know the api key of the profile",
            subject=error.subject,
            hint=f"Check the api_key of profile {self._profile.name}: Alvaria gave it out for the header x-api-key.",
        )

    def about(self, error: StorageError, key: str, missing_scopes: Collection[str]) -> StorageError:
        """The error with a hint for this key."""
        if isinstance(error, ForbiddenError) and not error.hint:
            return self._no_permission(error, key, missing_scopes)
        if isinstance(error, MissingError) and not error.hint:
            return error.with_(hint=self._missing_hint(key))
        return error

    def login(self, error: StorageError) -> StorageError:
        """The error for a refused token request, with what to check."""
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

    def _no_permission(self, error: ForbiddenError, key: str, missing_scopes: Collection[str]) -> StorageError:
        name, scope = self._profile.name, usual_scope(key)
        words = error.service_message.rstrip(". ")
        if not scope:
            hint = f"Check scopes of profile {name}, and ask Alvaria whether its client was given them."
        elif scope in missing_scopes:
            hint = f"It usually needs the scope {scope}, which the service did not grant: ask Alvaria for it."
        elif scope in self._profile.texts("scopes"):
            hint = f"It usually needs the scope {scope}, which the profile asks for: was the client given it?"
        else:
            hint = f"It usually needs the scope {scope}: add it to scopes of profile {name}."
        folder = key[: key.rfind("/") + 1] or key
        message = f"no permission for the folder {folder}" + (f" ({words})" if words else "")
        return ForbiddenError(message, subject=error.subject, hint=hint)

    def _missing_hint(self, key: str) -> str:
        name = self._profile.name
        if self._profile.text("api_version") == "v2" and needs_v3(key):
            return f'This folder needs v3: set api_version = "v3" in profile {name}.'
        if key.endswith("/") or "." in key.rpartition("/")[2]:
            return f"See what is there: cloudstore ls {shlex.quote(f'{name}:{_parent(key)}')}"
        return f"If it is a folder, write it with a slash at its end: {name}:{key}/"


def _parent(key: str) -> str:
    return key.rstrip("/").rpartition("/")[0] + "/" if "/" in key.rstrip("/") else ""


def _is_from_gateway(body: bytes) -> bool:
    reply = json_object(body) or {}
    return set(reply) == {"message"} and str(reply["message"]).lower() == "forbidden"


PAGE = 500
"""Entries per page; the service may give fewer."""

TOKEN_PATH = "/tokenservice/oauth2/access_token"

RENEW_ON = frozenset({401, 403})
"""An expired token, or a missing scope, is a 401 on some systems and a 403 on others: a new token is tried once."""


_ORG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})")


def read_org(text: str) -> str:
    """Return the id of an organisation.

    Raises:
        ConfigError: it cannot be one, since it cannot be the first part of a host name.
    """
    if not _ORG.fullmatch(text):
        hint = "It is one word of letters, digits and -, such as acme in acme.via.aspect-cloud.net."
        raise ConfigError("is not an organisation id", hint=hint)
    return text


class AlvariaClient:
    """Requests to the API of one organisation, in the version that its profile names."""

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
        self.granted: tuple[str, ...] = ()
        """The scopes that the service granted; empty before the first request, or if it does not say."""

    @property
    def pace_used(self) -> float:
        """Calls of the last minute as a share of the profile's limit."""
        return self._api.pace_used

    @property
    def note(self) -> str:
        """What is being waited for, else which scopes are missing, as a clause; empty if there is nothing to say."""
        refused = f"not granted: {', '.join(self.missing_scopes)}" if self.missing_scopes else ""
        return self._api.note or self._tokens.note or refused

    @property
    def missing_scopes(self) -> tuple[str, ...]:
        """The scopes that the profile asks for and the service did not grant, as far as it says."""
        return tuple(scope for scope in self._profile.texts("scopes") if self.granted and scope not in self.granted)

    @property
    def clock_skew(self) -> float:
        """Seconds by which the service's clock is ahead of ours."""
        return self._api.clock_skew or self._tokens.clock_skew or 0.0

    @property
    def token_host(self) -> str:
        """The host of the token service."""
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
            # Some tokens come percent-encoded, and the service accepts them only decoded.
            reply = await self._get("objectKeys", [*query, (name, unquote(token))], key, subject)
        answer = reply.decode(ObjectKeys, subject=subject)
        # A reply with a message instead of entries is an error with a successful status, not an empty folder.
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
            raise self._refusals.about(error, key, self.missing_scopes) from None

    async def close(self) -> None:
        """Close all connections."""
        await self._api.close()
        await self._tokens.close()

    async def _get(self, resource: str, query: Pairs, key: str, subject: str) -> Reply:
        path = f"{self._path}/{resource}"
        try:
            return await self._api.get(path, query, subject=subject)
        except StorageError as error:
            raise self._refusals.about(error, key, self.missing_scopes) from None

    async def _fetch_token(self) -> AccessToken:
        profile = self._profile
        secret = await read_secret(profile, "secret")
        scopes = " ".join(profile.texts("scopes"))
        # The vendor's pages disagree on where the realm belongs, so it goes into both the query and the form.
        realm = ("realm", self._org)
        form = [("grant_type", "client_credentials"), ("scope", scopes), realm]
        headers = {"Authorization": basic(profile.text("client_id"), secret)}
        try:
            reply = await self._tokens.post_form(self._token_path, [realm], form, headers, profile.name)
        except StorageError as error:
            raise self._refusals.login(error) from None
        answer = reply.decode(AlvariaTokenReply, subject=profile.name)
        self.granted = answer.scopes
        return AccessToken(Secret(answer.access_token), token_life(answer.expires_in))

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

    def _host(self, option: str, example: str, url_option: str) -> str:
        profile = self._profile
        if not (name := profile.text(option)):
            raise ConfigError(
                f"{option} is missing",
                subject=f"profile {profile.name}",
                hint=f'Set {option}, for example "{example}", or the whole address as {url_option}.',
            )
        return host_name(name, option=option, profile=profile.name)
