"""What a profile of Alvaria Cloud Media Storage needs."""

import re

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.profile import Option, Profile, SecretField
from cloudstore_tui.core.provider import ProviderSpec, StorageProvider
from cloudstore_tui.providers.alvaria.guide import GUIDE
from cloudstore_tui.providers.alvaria.scopes import FOLDERS

_ORG = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})")
_SCOPE = re.compile(r"[!#-\[\]-~]+")
_WITH_KEYS = "Alvaria sends it with the client id."


def open_profile(profile: Profile) -> StorageProvider:
    """A provider for one profile; nothing is sent yet.

    Raises:
        ConfigError: the profile cannot work.
    """
    # Deferred: commands that only look at the configuration need none of it, and start faster.
    from cloudstore_tui.providers.alvaria.provider import AlvariaProvider

    return AlvariaProvider(profile)


def check_org(text: str) -> None:
    """Refuse what cannot be the first part of a host name.

    Raises:
        ConfigError: it cannot.
    """
    if not _ORG.fullmatch(text):
        raise ConfigError(
            "is not an organisation id",
            hint="It is one word of letters, digits and -, such as acme in acme.via.aspect-cloud.net.",
        )


def check_scopes(text: str) -> None:
    """Refuse what cannot be scopes with commas or blanks between them.

    Raises:
        ConfigError: it cannot.
    """
    for scope in text.replace(",", " ").split():
        if not _SCOPE.fullmatch(scope):
            raise ConfigError(f"{scope[:60]!r} is not a scope", hint="Write scopes such as mediastorageapi.exports.")
        if (whole := f"mediastorageapi.{scope}") in FOLDERS:
            raise ConfigError(f"{scope} is only the end of a scope", hint=f"Write {whole}.")


def check_host(text: str) -> None:
    """Refuse what is neither a host name nor a whole address.

    Raises:
        ConfigError: it is neither.
    """
    # Deferred as above.
    from cloudstore_tui.net.api import api_address, host_name

    if "://" in text:
        api_address(text, option="the address", profile="", path=True)
    else:
        host_name(text, option="this", profile="")


def check_base(text: str) -> None:
    """Refuse what is neither a host name nor a whole address without a path.

    Raises:
        ConfigError: it is neither.
    """
    # Deferred as above.
    from cloudstore_tui.net.api import api_address, host_name

    if "://" in text:
        api_address(text, option="the address", profile="")
    else:
        host_name(text, option="this", profile="")


SPEC = ProviderSpec(
    name="alvaria",
    title="Alvaria",
    options=(
        Option(
            "org",
            "The organisation's id, as in the host name of its cloud.",
            required=True,
            label="Organisation",
            where="It is the first part of the address of your cloud: acme in acme.via.aspect-cloud.net.",
            check=check_org,
        ),
        Option(
            "domain",
            "via.aspect-cloud.net, apc.alvaria.cloud or wos.alvaria.cloud.",
            label="Cloud",
            where="AWS, Azure: via.aspect-cloud.net. Google: apc.alvaria.cloud. Workforce on AWS: wos.alvaria.cloud. "
            "A whole address such as https://HOST is taken, too.",
            suggestions=("via.aspect-cloud.net", "apc.alvaria.cloud", "wos.alvaria.cloud"),
            whole="api_base",
            check=check_base,
        ),
        Option(
            "token_host",
            "Where tokens come from, such as myaspect.id.aspect-cloud.net.",
            label="Token host",
            where="AWS US: myaspect.id.aspect-cloud.net. Europe, UK, Canada: with eu, uk or ca before id. "
            "Google US: myaccount.dsm.sre.alvaria.cloud. A whole address is taken, too.",
            suggestions=(
                "myaspect.id.aspect-cloud.net",
                "myaspect.eu.id.aspect-cloud.net",
                "myaspect.uk.id.aspect-cloud.net",
                "myaspect.ca.id.aspect-cloud.net",
                "myaspect.us-a.id.aspect-cloud.net",
                "myaccount.tri1.wss.alvaria.cloud",
                "myaccount.dsm.sre.alvaria.cloud",
            ),
            whole="token_url",
            check=check_host,
        ),
        Option(
            "client_id",
            "The client id that Alvaria gave out for the API.",
            required=True,
            label="Client id",
            where="Alvaria's account team or support sends it, with a client secret and an API key.",
        ),
        Option(
            "scopes",
            'The scopes the client was given, such as "mediastorageapi.exports".',
            type=tuple,
            required=True,
            label="Scopes",
            where="Alvaria says which ones the client has. Several with blanks between them: "
            "mediastorageapi.exports mediastorageapi.imports",
            suggestions=tuple(FOLDERS),
            check=check_scopes,
        ),
        Option(
            "api_version",
            "v3, or v2 for older clouds.",
            default="v3",
            choices=("v3", "v2"),
            label="API version",
            where="v3 unless Alvaria told you that your cloud has v2 only.",
            is_rare=True,
        ),
        Option("api_base", "The whole address of the API instead of domain."),
        Option("token_url", "The whole address for tokens instead of token_host."),
        Option(
            "link_form",
            "proxied links pass firewalls that allow Alvaria only; native ones lead to the object store.",
            default="proxied",
            choices=("proxied", "native"),
            label="Links",
            where="proxied passes firewalls that allow Alvaria only. native leads to Amazon's or Google's store, "
            "and may be faster.",
            is_rare=True,
        ),
        Option("allow_hosts", "Further hosts that signed links may lead to.", type=tuple),
    ),
    secrets=(
        SecretField("secret", "The client secret that belongs to client_id.", "Client secret", _WITH_KEYS),
        SecretField(
            "api_key",
            "The key for x-api-key that Alvaria gave out for usage tracking.",
            "API key",
            f"{_WITH_KEYS} Every request carries it for usage tracking.",
        ),
    ),
    open=open_profile,
    guide=GUIDE,
)
