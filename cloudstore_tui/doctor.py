"""The checks of `doctor`, in order: the configuration, each profile with its secrets and service, and this machine.

Nothing is changed. Results are yielded one by one, because a service may take its time.
"""

import asyncio
import locale
import os
import shlex
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from enum import StrEnum
from pathlib import Path

import msgspec

from cloudstore_tui.config.paths import state_folder
from cloudstore_tui.config.profiles import Config
from cloudstore_tui.config.secrets import SecretSources, secret_label
from cloudstore_tui.core.errors import NetworkError, StorageError
from cloudstore_tui.core.models import Retention
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check, StorageProvider
from cloudstore_tui.core.spec import ProviderSpec, SecretField
from cloudstore_tui.transfers.journal.store import FILE


class CheckStatus(StrEnum):
    """The result of a check."""

    OK = "ok"
    WARN = "warn"
    """It works, but not fully, or it may stop working."""
    FAIL = "FAIL"
    SKIP = "skip"
    """Not checked, because an earlier check failed or it does not apply."""


class CheckResult(msgspec.Struct, frozen=True):
    """What was checked, the result, and what to do."""

    subject: str
    """The profile it is about; empty if it is about none."""
    title: str
    status: CheckStatus
    text: str
    """What was found; may hold remote text."""
    hint: str = ""
    """What to do, in sentences; empty if nothing is wrong or nothing is known to help."""
    code: int = 0
    """The exit code of this failure."""


def failed(subject: str, title: str, error: StorageError) -> CheckResult:
    """The failed check of an error."""
    place = f"{error.subject}: " if error.subject and error.subject != subject else ""
    return CheckResult(subject, title, CheckStatus.FAIL, f"{place}{error.message}", error.hint, error.code)


def _on_machine(title: str, status: CheckStatus, text: str, hint: str = "", code: int = 0) -> CheckResult:
    """A result about this machine or the configuration, not about a profile."""
    return CheckResult("", title, status, text, hint, code)


TITLE = "configuration"


def check_configuration(config: Config) -> CheckResult:
    """Check a configuration that was read without an error."""
    path, count = config.path, len(config.profiles)
    if not count:
        hint = "Add one: cloudstore profile add. Or try the program without: cloudstore demo."
        return _on_machine(TITLE, CheckStatus.WARN, f"{path}: no profiles", hint)
    text = f"{path}: {count} profile{'s' * (count > 1)}"
    if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        # It names commands to run and the hosts that secrets are sent to.
        hint = f"Run: chmod go-w {shlex.quote(str(path))}"
        return _on_machine(TITLE, CheckStatus.WARN, f"{text}, and others can write it", hint)
    return _on_machine(TITLE, CheckStatus.OK, text)


def check_secrets(profile: Profile, fields: Sequence[SecretField]) -> Iterator[CheckResult]:
    """Check each secret of a profile. May take seconds; never shows a secret."""
    for field in fields:
        title = secret_label(field.name)
        try:
            profile.secrets(field.name)
        except StorageError as error:
            yield failed(profile.name, title, error)
        else:
            sources = profile.secrets
            where = sources.describe(field.name) if isinstance(sources, SecretSources) else "given by the program"
            yield CheckResult(profile.name, title, CheckStatus.OK, f"from {where}")


def _policy(retention: Retention) -> str:
    """A retention policy in words; the service has none to compare it with."""
    parts = [_kept("", retention), *(_kept(f"{name} ", own) for name, own in retention.types.items())]
    return f"by your policy (the service has none to compare): {', '.join(part for part in parts if part)}"


def _kept(of: str, policy: Retention) -> str:
    if policy.hot is None:
        return ""
    cold = f" and {policy.cold.days:,} in cold storage" if policy.cold else ""
    return f"{of}{policy.hot.days:,} days{cold}"


SERVICE_TIMEOUT_S = 60.0
"""Time for all checks of one service."""

_SILENT = "Check the address in the profile, and whether a proxy or a firewall is in the way."


async def check_service(provider: StorageProvider, patience: float = SERVICE_TIMEOUT_S) -> AsyncIterator[CheckResult]:
    """The provider's checks, up to the first that fails, and what the profile allows."""
    name = provider.profile.name
    try:
        async with asyncio.timeout(patience):
            checks = await provider.check()
    except TimeoutError:
        yield failed(name, "service", NetworkError(f"it did not answer within {patience:.0f} seconds", hint=_SILENT))
        return
    for check in checks:
        yield _result(name, check)
    if checks and checks[-1].error is not None:
        rest = f"not checked: {checks[-1].title} comes first"
        yield CheckResult(name, "the rest", CheckStatus.SKIP, rest)
        return
    yield _rights(provider)


def _result(name: str, check: Check) -> CheckResult:
    if check.error is not None:
        silent = isinstance(check.error, NetworkError) and not check.error.hint
        return failed(name, check.title, check.error.with_(hint=_SILENT) if silent else check.error)
    return CheckResult(name, check.title, CheckStatus.OK if check.ok else CheckStatus.WARN, check.text, check.hint)


def _rights(provider: StorageProvider) -> CheckResult:
    if provider.profile.read_only:
        text = "the profile is read-only"
        return CheckResult(provider.profile.name, "permission", CheckStatus.OK, text)
    # Whether the service allows it shows only in trying, and `doctor` changes nothing.
    text = "the profile lets you upload and delete"
    return CheckResult(provider.profile.name, "permission", CheckStatus.OK, text)


LOW_DISK_BYTES = 2_000_000_000
"""Less free space does not hold one zip of the service."""
SMALLEST = (60, 15)
"""The smallest terminal for the browser: columns and lines."""

_DESKTOPS = ("DISPLAY", "WAYLAND_DISPLAY")
_NO_CURSOR = ("", "dumb", "unknown")


def check_disk(download_dir: Path, *, keeps: bool = True) -> Iterator[CheckResult]:
    """Check the folder for downloads and, if transfers are kept, their journal."""
    folder = download_dir.expanduser().absolute()
    there = next((path for path in (folder, *folder.parents) if path.is_dir()), folder)
    try:
        with tempfile.TemporaryFile(dir=there):
            free = shutil.disk_usage(there).free
    except OSError as error:
        hint = "Name another folder as download_dir under [settings], or make this one writable."
        text = f"{folder}: {(error.strerror or 'cannot be written').lower()}"
        yield _on_machine("downloads", CheckStatus.FAIL, text, hint, 5)
    else:
        text = f"{folder}: {free / 1e9:,.1f} GB free"
        if free < LOW_DISK_BYTES:
            yield _on_machine("downloads", CheckStatus.WARN, text, "Make room: one zip of the service has up to 2 GB.")
        else:
            yield _on_machine("downloads", CheckStatus.OK, text)
    if keeps:
        yield _journal()
    else:
        yield _on_machine("journal", CheckStatus.SKIP, "none: the demo keeps no transfers")


def _journal() -> CheckResult:
    """Check the journal read-only: opening it as transfers do would replace a damaged one."""
    path = state_folder() / FILE
    if not path.exists():
        return _on_machine("journal", CheckStatus.OK, f"{path}: none yet, the first transfer makes it")
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as journal:
            (answer,) = journal.execute("pragma quick_check(1)").fetchone()
    except sqlite3.Error as error:
        answer = str(error)
    if answer == "ok":
        return _on_machine("journal", CheckStatus.OK, str(path))
    hint = "The next transfer moves it aside and begins a new one; what was interrupted then begins anew."
    return _on_machine("journal", CheckStatus.FAIL, f"{path}: {answer}", hint, 5)


def check_terminal(environment: Mapping[str, str], size: os.terminal_size | None) -> Iterator[CheckResult]:
    """Check the terminal for the browser; `size` is `None` if there is none."""
    yield _terminal(environment, size)
    yield _letters(environment)
    yield _clipboard(environment)


def _terminal(environment: Mapping[str, str], size: os.terminal_size | None) -> CheckResult:
    kind = environment.get("TERM", "")
    if size is None:
        return _on_machine("terminal", CheckStatus.SKIP, "not checked: this runs without one; the browser needs one")
    if kind in _NO_CURSOR:
        text = f"TERM is {kind or 'not set'}: the browser cannot be drawn"
        return _on_machine(
            "terminal", CheckStatus.WARN, text, "Set it to what your terminal is, such as TERM=xterm-256color."
        )
    between = [name for name, variable in (("tmux", "TMUX"), ("screen", "STY")) if environment.get(variable)]
    parts = [kind, f"{size.columns}×{size.lines}", *between, *(["over SSH"] if _is_remote(environment) else [])]
    text = ", ".join(parts)
    if size.columns < SMALLEST[0] or size.lines < SMALLEST[1]:
        hint = f"Make the window larger: {SMALLEST[0]}×{SMALLEST[1]} at least."
        return _on_machine("terminal", CheckStatus.WARN, text, hint)
    return _on_machine("terminal", CheckStatus.OK, text)


def _letters(environment: Mapping[str, str]) -> CheckResult:
    wanted = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := environment.get(name))), "")
    if "utf" in wanted.lower() or (not wanted and "utf" in locale.getpreferredencoding(do_setlocale=False).lower()):
        return _on_machine("encoding", CheckStatus.OK, wanted or "UTF-8")
    text = f"the locale {wanted or 'C'} is not UTF-8: names beyond ASCII are shown as ?"
    return _on_machine("encoding", CheckStatus.WARN, text, "Set LANG=C.UTF-8, or another locale that ends with UTF-8.")


def _clipboard(environment: Mapping[str, str]) -> CheckResult:
    if environment.get("TMUX"):
        text = "through tmux, which passes it on if set-clipboard is on"
        return _on_machine("clipboard", CheckStatus.OK, text, "If copying does nothing: tmux set -g set-clipboard on")
    if environment.get("TERM", "").startswith(("linux", "vt")):
        return _on_machine(
            "clipboard", CheckStatus.WARN, "this terminal has none", "Links are shown in full: select them."
        )
    own = any(environment.get(name) for name in _DESKTOPS) and not _is_remote(environment)
    text = "your terminal's, by OSC 52" + (", and that of this desktop" if own else "")
    return _on_machine(
        "clipboard", CheckStatus.OK, text, "" if own else "If copying does nothing, your terminal forbids it."
    )


def _is_remote(environment: Mapping[str, str]) -> bool:
    return any(environment.get(name) for name in ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"))


async def examine(
    config: Config,
    specs: Sequence[ProviderSpec],
    provider_of: Callable[[str], StorageProvider],
    names: Sequence[str] = (),
    *,
    patience: float = SERVICE_TIMEOUT_S,
    keeps: bool = True,
) -> AsyncIterator[CheckResult]:
    """Run all checks.

    Args:
        config: a configuration that was read without an error.
        specs: of all services.
        provider_of: opens a profile by its name; called only if its secrets were found.
        names: the profiles to check; all if empty.
        patience: seconds for each service.
        keeps: whether transfers outlive the program.
    """
    yield check_configuration(config)
    for profile in [config.profile(name) for name in names or config.profiles]:
        fields = next(spec.secrets for spec in specs if spec.name == profile.provider)
        async for result in _check_profile(profile, fields, provider_of, patience):
            yield result
    for result in await asyncio.to_thread(lambda: list(check_disk(config.settings.download_dir, keeps=keeps))):
        yield result
    for result in check_terminal(os.environ, terminal_size()):
        yield result


async def _check_profile(
    profile: Profile, fields: Sequence[SecretField], provider_of: Callable[[str], StorageProvider], patience: float
) -> AsyncIterator[CheckResult]:
    # In a thread, because a keyring or a command may take seconds.
    found = await asyncio.to_thread(lambda: list(check_secrets(profile, fields)))
    for result in found:
        yield result
    if profile.retention is not None:
        yield CheckResult(profile.name, "retention", CheckStatus.OK, _policy(profile.retention))
    if any(result.status is CheckStatus.FAIL for result in found):
        yield CheckResult(profile.name, "service", CheckStatus.SKIP, "not checked: the secrets come first")
        return
    try:
        provider = provider_of(profile.name)
    except StorageError as error:
        yield failed(profile.name, "addresses", error)
        return
    async for result in check_service(provider, patience):
        yield result


def terminal_size() -> os.terminal_size | None:
    """The size of the terminal; `None` without one."""
    for stream in (sys.__stdout__, sys.__stderr__):
        with suppress(OSError, ValueError):
            if stream is not None and stream.isatty():
                return os.get_terminal_size(stream.fileno())
    return None
