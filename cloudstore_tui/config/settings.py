"""The user's settings, and how a table of the configuration is checked against declared options."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from cloudstore_tui.config.document import TomlDocument
from cloudstore_tui.config.paths import user_path
from cloudstore_tui.core.profile import OptionValue, Timeouts
from cloudstore_tui.core.spec import Option

_TYPE_NAMES = {str: "a text in quotes", int: "a whole number", bool: "true or false", tuple: "a list of texts"}

CALL_FOLDER = "{start:%Y-%m-%d %H-%M} {agentName}"

SETTINGS: tuple[Option, ...] = (
    Option("download_dir", "Where downloads go.", default="."),
    Option(
        "call_folder",
        "Folder below download_dir for everything of one call, as a template such as {start:%Y-%m-%d}/{callId}.",
        default=CALL_FOLDER,
    ),
    Option("time_zone", "The zone times are shown and read in, such as UTC or Europe/London.", default="UTC"),
    Option("theme", "The look of the browser; `cloudstore themes` lists them.", default="cloudstore-dark"),
    Option("transfers", "Downloads and uploads at once, 1 to 32.", type=int, default=4),
    Option("bell", "Whether the bell rings when a transfer of more than 10 seconds ends.", type=bool, default=False),
    Option(
        "on_hangup",
        "What transfers do when the terminal goes away: stop until the next time, or continue without it.",
        choices=("stop", "continue"),
        default="stop",
    ),
    Option("recent_places", "Whether places are remembered, for Ctrl+G and P.", type=bool, default=True),
    Option("start_at_last", "Whether the browser begins where it was left, not at home.", type=bool, default=False),
    Option("masked", "Whether names and numbers of people are masked at first.", type=bool, default=False),
    Option(
        "opener",
        "The program for e, such as `bat --paging=always`, or a table of them by kind; {} stands for the file.",
        default="",
    ),
    Option("mouse", "false leaves the mouse to the terminal.", type=bool, default=True),
    Option(
        "low_bandwidth",
        "Fewer redraws, for a slow line: true, false, or auto for when the browser runs over SSH.",
        choices=("auto", "true", "false"),
        default="auto",
    ),
    Option(
        "preview_in_detail",
        "Whether the beginning of small texts is read and shown beside the list wherever the cursor rests.",
        type=bool,
        default=True,
    ),
    Option("ping_hosts", "Hosts that --on-success and --on-failure may ping, such as hc-ping.com.", type=tuple),
    Option("timestamp_hosts", "Hosts that --timestamp may ask for a time stamp, such as freetsa.org.", type=tuple),
    Option("zip_poll_seconds", "Seconds between looks at a zip job; the last repeats.", type=tuple),
    Option(
        "restore_poll_seconds", "Seconds between looks at an object that is restored: at first, at last.", type=tuple
    ),
    Option("connect_timeout", "Seconds to wait for a connection.", type=int, default=10),
    Option("read_timeout", "Seconds to wait for the next bytes.", type=int, default=30),
    Option("stall_timeout", "Seconds below 1 KiB/s after which a body is asked for again.", type=int, default=60),
)
"""Every key of `[settings]`."""

OPENER_KINDS = ("audio", "video", "image", "text")
"""The kinds of files for which `opener` can name programs; `text` includes unknown kinds."""

RANGES: Mapping[str, tuple[int, int]] = {
    "transfers": (1, 32),
    "connect_timeout": (1, 600),
    "read_timeout": (1, 3600),
    "stall_timeout": (5, 3600),
    "requests_per_minute": (0, 100_000),
    "concurrency": (1, 64),
}
"""The smallest and the largest value of each number."""


class Settings(msgspec.Struct, frozen=True):
    """The settings for all profiles."""

    download_dir: Path = Path()
    call_folder: str = CALL_FOLDER
    """A template for names, which is checked where it is used."""
    time_zone: ZoneInfo = ZoneInfo("UTC")
    theme: str = "cloudstore-dark"
    transfers: int = 4
    bell: bool = False
    on_hangup: str = "stop"
    preview_in_detail: bool = True
    opener: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Programs that open copies of objects, by kind; for other kinds, one is looked for on this machine."""
    recent_places: bool = True
    start_at_last: bool = False
    masked: bool = False
    mouse: bool = True
    low_bandwidth: str = "auto"
    ping_hosts: tuple[str, ...] = ()
    timestamp_hosts: tuple[str, ...] = ()
    zip_poll_seconds: tuple[int, ...] = (5, 10, 20)
    restore_poll_seconds: tuple[int, ...] = ()
    """Empty for the default of the service."""
    timeouts: Timeouts = Timeouts()


def read_settings(document: TomlDocument) -> Settings:
    """The `[settings]` table, with defaults for missing keys."""
    table = dict(document.table("settings"))
    own: dict[str, Any] = {"opener": _openers(document, table.pop("opener", ""))}
    for name in ("zip_poll_seconds", "restore_poll_seconds"):
        if name in table:
            own[name] = _poll_seconds(document, name, table.pop(name))
    if isinstance(table.get("low_bandwidth"), bool):
        table["low_bandwidth"] = str(table["low_bandwidth"]).lower()
    values: dict[str, Any] = read_options(document, ("settings",), table, SETTINGS)
    try:
        own["time_zone"] = ZoneInfo(values["time_zone"])
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise document.error(
            f"unknown time zone {values['time_zone']}", ("settings", "time_zone"), "Use a name such as Europe/London."
        ) from None
    own["download_dir"] = user_path(values["download_dir"])
    own["timeouts"] = Timeouts(**{name: values.pop(f"{name}_timeout") for name in ("connect", "read", "stall")})
    return Settings(**values | own)


def read_options(
    document: TomlDocument, keys: tuple[str, ...], table: Mapping[str, object], options: Sequence[Option]
) -> dict[str, OptionValue]:
    """The values of a table, checked against its options, with defaults for missing keys.

    Raises:
        ConfigError: a key is unknown or missing, or a value has the wrong type or is out of range.
    """
    known = {option.name: option for option in options}
    for name in table:
        if name not in known:
            raise document.unknown((*keys, name), known)
    values: dict[str, OptionValue] = {}
    for option in options:
        if option.name in table:
            values[option.name] = _checked(document, (*keys, option.name), table[option.name], option)
        elif option.required:
            raise document.error(f"{option.name} is missing under [{'.'.join(keys)}]", keys, option.help)
        elif option.default is not None:
            values[option.name] = option.default
    return values


def _checked(document: TomlDocument, keys: tuple[str, ...], value: object, option: Option) -> OptionValue:
    typed = _typed(value, option.type)
    if typed is None:
        raise document.error(f"{option.name} must be {_TYPE_NAMES[option.type]}", keys, option.help)
    if option.choices and typed not in option.choices:
        raise document.error(f"{option.name} must be one of {', '.join(option.choices)}", keys, option.help)
    low, high = RANGES.get(option.name, (0, 0))
    if high and isinstance(typed, int) and not low <= typed <= high:
        raise document.error(f"{option.name} must be from {low} to {high}", keys, option.help)
    return typed


def _typed(value: object, wanted: type) -> OptionValue | None:
    if wanted is tuple:
        return tuple(value) if isinstance(value, list) and all(isinstance(item, str) for item in value) else None
    if isinstance(value, bool) is not (wanted is bool):
        return None
    return value if isinstance(value, (str, int)) and isinstance(value, wanted) else None


def _openers(document: TomlDocument, value: object) -> dict[str, str]:
    """Programs by kind; a single text is the program for all kinds."""
    if isinstance(value, str):
        return dict.fromkeys(OPENER_KINDS, value) if value.strip() else {}
    if not isinstance(value, Mapping):
        raise document.error(
            "opener must be a text in quotes or a table", ("settings", "opener"), 'For example { audio = "mpv" }.'
        )
    options = [Option(kind, "The program for files of this kind.", default="") for kind in OPENER_KINDS]
    programs = read_options(document, ("settings", "opener"), value, options)
    return {kind: str(program) for kind, program in programs.items() if str(program).strip()}


def _poll_seconds(document: TomlDocument, name: str, value: object) -> tuple[int, ...]:
    numbers = value if isinstance(value, list) else []
    if not numbers or not all(type(number) is int and 1 <= number <= 3600 for number in numbers):
        raise document.error(
            f"{name} must be a list of whole numbers from 1 to 3600", ("settings", name), "For example [5, 10, 20]."
        )
    return tuple(numbers)
