"""What a profile of Alvaria Cloud Media Storage needs, and how to get it."""

import re
from functools import partial
from typing import TYPE_CHECKING

from cloudstore_tui.core.errors import ConfigError
from cloudstore_tui.core.spec import Option, ProviderSpec, SecretField
from cloudstore_tui.providers.alvaria.scopes import FOLDERS

if TYPE_CHECKING:
    from cloudstore_tui.core.profile import Profile
    from cloudstore_tui.core.provider import StorageProvider

GUIDE = """\
Alvaria Cloud Media Storage

Alvaria gives out the keys itself; no page of the product makes them. Ask your Alvaria account team or open a support \
case, and ask for API access to Cloud Media Storage. Tell them who will use it and for which folders. You \
get back:

1. The organisation id, such as acme. It is the first part of the address of your cloud: acme.via.aspect-cloud.net.
2. A client id and a client secret for the grant "client credentials".
3. An API key for usage tracking. Every request carries it as x-api-key.
4. The scopes of the client. They say which folders it may see; all begin with mediastorageapi.
5. The cloud you are on and the host that gives out tokens.

The clouds

* AWS and Azure: via.aspect-cloud.net
* Google: apc.alvaria.cloud
* Workforce on AWS "tri": wos.alvaria.cloud

The token hosts

* AWS US: myaspect.id.aspect-cloud.net
* AWS Europe: myaspect.eu.id.aspect-cloud.net
* AWS UK: myaspect.uk.id.aspect-cloud.net
* AWS Canada: myaspect.ca.id.aspect-cloud.net, and on older pages myaspect.yyz.id.aspect-cloud.net
* AWS US-East "tri": myaccount.tri1.wss.alvaria.cloud
* Azure US, on older pages: myaspect.us-a.id.aspect-cloud.net
* Google US ("DSM"): myaccount.dsm.sre.alvaria.cloud

The scopes

* mediastorageapi.exports opens exports/, and is the only one for exports/reporting-archive/ and exports/motivate/.
* mediastorageapi.exports.reporting opens exports/reporting/ with its intraday/.
* mediastorageapi.exports.reporting.historical opens exports/reporting/enterprise-historical/: the nightly extracts, \
which are kept for 28 days.
* mediastorageapi.exports.cxp.recordings opens exports/cxp/recordings/.
* mediastorageapi.imports opens imports/, and mediastorageapi.imports.outreach.list the call lists in it.

Ask for the narrow ones that you need. Scopes do not distinguish reading from writing: a client that sees a folder may \
upload to it and delete in it. So profiles are read-only here until you say otherwise.

Version 3 of the API is the usual one. Older clouds know version 2 only; the folders workforce/, workflow/ and \
imports/motivate/kpi/ need version 3.
"""


_SCOPE = re.compile(r"[!#-\[\]-~]+")
_WITH_KEYS = "Alvaria sends it with the client id."


def open_profile(profile: "Profile") -> "StorageProvider":
    """A provider for one profile; nothing is sent yet.

    Raises:
        ConfigError: the profile cannot work.
    """
    # Deferred: commands that only look at the configuration need none of it, and start faster.
    from cloudstore_tui.providers.alvaria.provider import AlvariaProvider

    return AlvariaProvider(profile)


def check_org(text: str) -> None:
    """Refuse what cannot be the first part of a host name."""
    # Deferred as above.
    from cloudstore_tui.providers.alvaria.client import read_org

    read_org(text)


def check_scopes(text: str) -> None:
    """Refuse what cannot be scopes with commas or blanks between them."""
    for scope in text.replace(",", " ").split():
        if not _SCOPE.fullmatch(scope):
            raise ConfigError(f"{scope[:60]!r} is not a scope", hint="Write scopes such as mediastorageapi.exports.")
        if (whole := f"mediastorageapi.{scope}") in FOLDERS:
            raise ConfigError(f"{scope} is only the end of a scope", hint=f"Write {whole}.")


def check_host(text: str, *, path: bool) -> None:
    """Refuse what is neither a host name nor a whole address; `path` says whether that may have a path."""
    # Deferred as above.
    from cloudstore_tui.net.api import api_address, host_name

    if "://" in text:
        api_address(text, option="the address", profile="", path=path)
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
            url_option="api_base",
            check=partial(check_host, path=False),
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
            url_option="token_url",
            check=partial(check_host, path=True),
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
            is_advanced=True,
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
            is_advanced=True,
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
