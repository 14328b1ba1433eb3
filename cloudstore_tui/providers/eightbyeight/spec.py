"""What a profile of the 8x8 Cloud Storage Service needs."""

from cloudstore_tui.core.profile import Option, Profile, SecretField
from cloudstore_tui.core.provider import ProviderSpec, StorageProvider


def open_profile(profile: Profile) -> StorageProvider:
    """A provider for one profile; nothing is sent yet.

    Raises:
        ConfigError: the profile cannot work.
    """
    # Deferred: commands that only look at the configuration need none of it, and start faster.
    from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider

    return EightByEightProvider(profile)


SPEC = ProviderSpec(
    name="8x8",
    title="8x8 Cloud Storage Service",
    options=(
        Option("client_id", "The key of an 8x8 API made for Call Recordings & Storage.", required=True),
        Option("regions", "The regions to look at, such as us-east; the service is asked if absent.", type=tuple),
        Option("api_base", "The address of the API.", default="https://api.8x8.com"),
        Option("token_url", "The whole address for tokens, if they do not come from /oauth/v2/token of api_base."),
        Option("allow_hosts", "Further hosts that presigned links may lead to.", type=tuple),
    ),
    secrets=(SecretField("secret", "The secret that belongs to client_id."),),
    open=open_profile,
)
