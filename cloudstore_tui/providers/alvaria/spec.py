"""What a profile of Alvaria Cloud Media Storage needs."""

from cloudstore_tui.core.profile import Option, Profile, SecretField
from cloudstore_tui.core.provider import ProviderSpec, StorageProvider


def open_profile(profile: Profile) -> StorageProvider:
    """A provider for one profile; nothing is sent yet.

    Raises:
        ConfigError: the profile cannot work.
    """
    # Deferred: commands that only look at the configuration need none of it, and start faster.
    from cloudstore_tui.providers.alvaria.provider import AlvariaProvider

    return AlvariaProvider(profile)


SPEC = ProviderSpec(
    name="alvaria",
    title="Alvaria",
    options=(
        Option("org", "The organisation's id, as in the host name of its cloud.", required=True),
        Option("client_id", "The client id that Alvaria gave out for the API.", required=True),
        Option(
            "scopes", 'The scopes the client was given, such as "mediastorageapi.exports".', type=tuple, required=True
        ),
        Option("api_version", "v3, or v2 for older clouds.", default="v3", choices=("v2", "v3")),
        Option("domain", "via.aspect-cloud.net, apc.alvaria.cloud or wos.alvaria.cloud."),
        Option("api_base", "The whole address of the API instead of domain."),
        Option("token_host", "Where tokens come from, such as myaspect.id.aspect-cloud.net."),
        Option("token_url", "The whole address for tokens instead of token_host."),
        Option(
            "link_form",
            "proxied links pass firewalls that allow Alvaria only; native ones lead to the object store.",
            default="proxied",
            choices=("proxied", "native"),
        ),
        Option("allow_hosts", "Further hosts that signed links may lead to.", type=tuple),
    ),
    secrets=(
        SecretField("secret", "The client secret that belongs to client_id."),
        SecretField("api_key", "The key for x-api-key that Alvaria gave out for usage tracking."),
    ),
    open=open_profile,
)
