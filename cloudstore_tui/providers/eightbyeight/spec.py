"""What a profile of the 8x8 Cloud Storage Service needs, and how to get it."""

from functools import partial
from typing import TYPE_CHECKING

from cloudstore_tui.core.spec import Option, ProviderSpec, SecretField

if TYPE_CHECKING:
    from cloudstore_tui.core.profile import Profile
    from cloudstore_tui.core.provider import StorageProvider

GUIDE = """\
8x8 Cloud Storage Service

The key is made in the 8x8 Admin Console, by somebody with two rights that the Super Admin gives: the permission \
Application Credentials, and the role Cloud Storage API (also called Storage API).

1. Ask the Super Admin of your company to give your user both. Without them the page or the product below is missing.
2. Sign in to the Admin Console and open API Keys.
3. Create an app. Give it a name that says what it is for, such as "recordings to archive".
4. As its product choose Call Recordings & Storage. A key for another product logs in, but sees no storage.
5. Choose its level, the lowest that is enough (below).
6. Save. The page shows a key and a secret. The key is the client id here. Copy both now: the secret is the password.
7. Wait some minutes: a new key, or a product added to one, is not known everywhere at once.

The levels

* Read-only: search and look at details.
* Download-only: also fetch recordings. Enough for most people and for nightly jobs.
* Edit: also delete, and ask for archived recordings back.

The regions

Your data is in one or more of us-east, us-west, uk, ca and ap (Australia). There is no eu: European customers are \
in uk. Leave the regions empty and the service is asked.

All addresses begin with https://api.8x8.com. A firewall has to let that through, and the hosts that links lead to.
"""


def open_profile(profile: "Profile") -> "StorageProvider":
    """A provider for one profile; nothing is sent yet.

    Raises:
        ConfigError: the profile cannot work.
    """
    # Deferred: commands that only look at the configuration need none of it, and start faster.
    from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider

    return EightByEightProvider(profile)


def check_regions(text: str) -> None:
    """Refuse what cannot be names of regions with commas or blanks between them."""
    # Deferred as above.
    from cloudstore_tui.providers.eightbyeight.wire import read_regions

    read_regions(text.replace(",", " ").split())


def check_address(text: str, *, path: bool) -> None:
    """Refuse what is no address; `path` says whether it may have a path."""
    # Deferred as above.
    from cloudstore_tui.net.api import api_address

    api_address(text, option="the address", profile="", path=path)


SPEC = ProviderSpec(
    name="8x8",
    title="8x8 Cloud Storage Service",
    searchable=True,
    options=(
        Option(
            "client_id",
            "The key of an 8x8 API made for Call Recordings & Storage.",
            required=True,
            label="Client id",
            where="The Admin Console shows it as the key of an app under API Keys. "
            "The app's product must be Call Recordings & Storage.",
        ),
        Option(
            "regions",
            "The regions to look at, such as us-east; the service is asked if absent.",
            type=tuple,
            label="Regions",
            where="Leave it empty and the service is asked. Else names such as us-east us-west uk ca ap, "
            "with blanks between them; Europe is in uk.",
            suggestions=("us-east", "us-west", "uk", "ca", "ap"),
            check=check_regions,
        ),
        Option(
            "api_base",
            "The address of the API.",
            default="https://api.8x8.com",
            label="API address",
            where="https://api.8x8.com for all customers of 8x8. Another one only for tests, such as the sandbox.",
            is_advanced=True,
            check=partial(check_address, path=False),
        ),
        Option(
            "token_url",
            "The whole address for tokens, if they do not come from /oauth/v2/token of api_base.",
            label="Token address",
            where="Empty for all customers of 8x8: tokens come from the API address.",
            is_advanced=True,
            check=partial(check_address, path=True),
        ),
        Option("allow_hosts", "Further hosts that presigned links may lead to.", type=tuple),
    ),
    secrets=(
        SecretField(
            "secret",
            "The secret that belongs to client_id.",
            "Secret",
            "The Admin Console shows it beside the key, under API Keys.",
        ),
    ),
    open=open_profile,
    guide=GUIDE,
)
