"""The service of a profile: login, rights, places, a listing, the clock."""

import asyncio
from collections.abc import AsyncIterator

from cloudstore_tui.core.errors import NetworkError
from cloudstore_tui.core.provider import Check, StorageProvider
from cloudstore_tui.doctor.finding import Finding, Verdict, failed

LONGEST = 60.0
"""Seconds that one service may take for all its checks."""

_SILENT = "Check the address in the profile, and whether a proxy or a firewall is in the way."


async def look_at_service(provider: StorageProvider, patience: float = LONGEST) -> AsyncIterator[Finding]:
    """What the provider checks, until the first thing that is wrong, and what the profile allows."""
    name = provider.profile.name
    try:
        async with asyncio.timeout(patience):
            checks = await provider.check()
    except TimeoutError:
        yield failed(name, "service", NetworkError(f"it did not answer within {patience:.0f} seconds", hint=_SILENT))
        return
    for check in checks:
        yield _finding(name, check)
    if checks and checks[-1].error is not None:
        rest = f"not checked: {checks[-1].title} comes first"
        yield Finding(name, "the rest", Verdict.SKIP, rest)
        return
    yield _rights(provider)


def _finding(name: str, check: Check) -> Finding:
    if check.error is not None:
        silent = isinstance(check.error, NetworkError) and not check.error.hint
        return failed(name, check.title, check.error.with_(hint=_SILENT) if silent else check.error)
    return Finding(name, check.title, Verdict.OK if check.ok else Verdict.WARN, check.text, check.hint)


def _rights(provider: StorageProvider) -> Finding:
    if provider.profile.read_only:
        text = "the profile is read-only"
        return Finding(provider.profile.name, "permission", Verdict.OK, text)
    # Whether the service lets it is only known once it is tried, and a check-up changes nothing.
    text = "the profile lets you upload and delete"
    return Finding(provider.profile.name, "permission", Verdict.OK, text)
