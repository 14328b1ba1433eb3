"""Where a profile's secrets come from, and whether they can be used."""

from collections.abc import Iterator, Sequence

from cloudstore_tui.config.secrets import SecretSources, spoken
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.core.profile import Profile, SecretField
from cloudstore_tui.doctor.finding import Finding, Verdict, failed


def look_at_secrets(profile: Profile, fields: Sequence[SecretField]) -> Iterator[Finding]:
    """One line for each secret that the service takes. May take seconds, and never shows one."""
    for field in fields:
        title = spoken(field.name)
        try:
            profile.secrets(field.name)
        except StorageError as error:
            yield failed(profile.name, title, error)
        else:
            sources = profile.secrets
            where = sources.describe(field.name) if isinstance(sources, SecretSources) else "given by the program"
            yield Finding(profile.name, title, Verdict.OK, f"from {where}")
