"""Commands, options and paths that users of other programs type, and what to type here."""

import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cloudstore_tui.core.errors import UsageError
from cloudstore_tui.fiql.fields import TYPE_WORDS, name_of

_GET_PUT = "`get` downloads, `put` uploads, `pull` fetches a whole folder or search"
_PULL = "`pull` fetches what a folder lacks, and can be repeated"
_SHOW = "`preview` shows what is in an object, `get PATH --to -` writes it to stdout"
_LIST = "`ls` lists a folder, `ls -R` everything below it"
_SIZE = "`ls -R` lists the size of everything below a folder"
_MOVE = "These services cannot move or rename an object: `get` it, `put` it elsewhere, `rm` it"
_LINK = "`url` prints a link to an object"
_DELETE = "`rm` deletes objects"
_SET_UP = "`profile add` sets up an account, `profile list` shows them"
_NO_FOLDERS = "Folders come and go with the objects in them"

COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("cp", "copy", "copyto", "download", "dl", "fetch", "upload", "push"), _GET_PUT),
    **dict.fromkeys(("sync", "mirror", "clone", "bisync", "backup", "archive"), _PULL),
    **dict.fromkeys(("cat", "head", "tail", "less", "more", "view"), _SHOW),
    **dict.fromkeys(("ll", "lsl", "lsd", "lsf", "lsjson", "dir", "list", "tree"), _LIST),
    **dict.fromkeys(("du", "size", "ncdu"), _SIZE),
    **dict.fromkeys(("mv", "move", "moveto", "rename"), _MOVE),
    **dict.fromkeys(("link", "share", "sign", "signurl", "presign"), _LINK),
    **dict.fromkeys(("del", "delete", "deletefile", "remove", "purge"), _DELETE),
    **dict.fromkeys(("config", "configure", "login", "auth", "alias", "remotes", "listremotes", "profiles"), _SET_UP),
    **dict.fromkeys(("mkdir", "rmdir", "mb", "rb"), _NO_FOLDERS),
    **dict.fromkeys(("info", "show", "head-object"), "`stat` shows everything known of an object"),
    **dict.fromkeys(("check", "md5sum", "hashsum"), "`verify` checks a pulled folder"),
    **dict.fromkeys(("grep", "query"), "`find` searches a profile"),
    **dict.fromkeys(("jobs", "queue"), "`transfers list` shows transfers, `zip list` the zip jobs of a region"),
    **dict.fromkeys(("browse", "ui", "tui"), "`cloudstore` alone opens the browser, `cloudstore PATH` opens it there"),
    "count": "`find PROFILE --count` counts what matches",
    **dict.fromkeys(
        ("export", "metadata"), "`find PROFILE -o FILE.csv` writes what is known of each object into a file"
    ),
    "unarchive": "`restore` restores archived objects",
    "help": "`cloudstore --help` lists the commands, `cloudstore COMMAND --help` explains one",
    "version": "Write `cloudstore --version`",
}
"""Commands of rclone, s3cmd, mc, the AWS CLI and shells."""

_ALL_BELOW = ("-r", "--recursive", "--recurse")
_BY_FORCE = ("-f", "--force", "--overwrite", "--replace", "--clobber")
_IN_PATH = "The profile and the region are part of the path: PROFILE:REGION/ID"
_FOLDER = "`pull PATH/ --to DIR` fetches everything in a folder"

_ANYWHERE: dict[str, str] = {
    **dict.fromkeys(_BY_FORCE, "`--on-conflict overwrite` replaces what has the name"),
    **dict.fromkeys(("--ignore-existing", "--no-clobber"), "`--on-conflict skip` leaves what has the name"),
    **dict.fromkeys(("--csv", "--tsv"), "`--format csv` or `-o FILE.csv` writes CSV"),
    **dict.fromkeys(("--profile", "--region", "--remote"), _IN_PATH),
    **dict.fromkeys(("--dest", "--out", "--output-dir", "--directory", "-d", "-O", "-o", "--output"), "Write --to DIR"),
    **dict.fromkeys(("--max-items", "--max-keys", "--max", "--head", "-n"), "Write --limit N"),
    **dict.fromkeys(("--from", "--start", "--after", "--max-age"), "Write --since TIME"),
    **dict.fromkeys(("--to", "--end", "--before", "--min-age"), "Write --until TIME"),
    **dict.fromkeys(("--include", "--exclude", "--filter"), "Words choose objects, and so does --fiql FILTER"),
    **dict.fromkeys(("-p", "-P", "--progress"), "Progress is shown on a terminal"),
    **dict.fromkeys(("-l", "--long", "--human-readable"), "Sizes and times are always shown"),
    **dict.fromkeys(("--expires", "--expire", "--expires-in"), "The service decides how long a link lasts"),
}

OPTIONS: Mapping[str, Mapping[str, str]] = {
    "ls": _ANYWHERE | dict.fromkeys(("-r", "--recurse"), "-R lists everything below a folder"),
    "find": _ANYWHERE | {"--all": "All that match are listed, in all regions"},
    "get": _ANYWHERE | dict.fromkeys(_ALL_BELOW, _FOLDER),
    "pull": _ANYWHERE | dict.fromkeys(_ALL_BELOW, "Everything below a folder is fetched anyway"),
    "watch": _ANYWHERE | {"--until": "A watch has no end; `pull` takes --until"},
    "put": _ANYWHERE | dict.fromkeys(_ALL_BELOW, "Name the files in the folder, such as FOLDER/*"),
    "rm": _ANYWHERE
    | dict.fromkeys(_ALL_BELOW, "Only objects are deleted; `ls -R --columns path` lists those below a folder")
    | dict.fromkeys(_BY_FORCE, "-y deletes without asking"),
}
"""By command: options that it does not have, and what to use in their place."""


def instead_of_command(name: str) -> str:
    """What to type in place of an unknown command; empty if nothing is known."""
    return COMMANDS.get(name, "")


def instead_of_option(command: str, name: str) -> str:
    """What to type in place of an option that a command does not have; empty if nothing is known."""
    return OPTIONS.get(command, _ANYWHERE).get(name, "")


_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


_MARKS = tuple(" \t\r\n,;|\"'")
"""What stands between the columns of a table."""


def refuse_foreign(address: str) -> None:
    """Refuse an address without a profile if its form shows what was meant.

    Raises:
        UsageError: it does.
    """
    word, colon, rest = address.partition(":")
    if rest.startswith("//"):
        hint = "Write PROFILE:REST, such as acme:exports/reporting/; for a signed link use curl."
        raise UsageError("is a URL, not a path of this program", subject=address, hint=hint)
    if any(letter.isspace() for letter in word):
        hint = "Add --columns path or --json to the command that lists."
        raise UsageError("is a line of a table, not a path", subject=address, hint=hint)
    if _ID.fullmatch(word):
        hint = f"Write PROFILE:REGION/ID; `cloudstore find PROFILE {word}` shows it."
        raise UsageError("is an id without its profile and region", subject=address, hint=hint)
    if colon and name_of(word):
        hint = f"Name the profile first: PROFILE {shlex.quote(address)}."
        raise UsageError("is a condition, not a profile", subject=address, hint=hint)
    if not colon and (address.startswith((".", "/", "~")) or _is_here(address)):
        hint = "Paths at a service are written PROFILE:REST; --to DIR says where files go."
        raise UsageError("is a path on this machine", subject=address, hint=hint)


def _is_here(name: str) -> bool:
    # The disk may not take the name.
    with suppress(OSError):
        return Path(name).exists()
    return False


def why_missing(address: str) -> str:
    """Why there is nothing at an address, if its form shows it; else empty."""
    profile, _, rest = address.partition(":")
    if address.endswith("\r"):
        return "It ends with a carriage return, as in lists from Windows; `-` reads such a list from stdin."
    if set(rest) & set("*?"):
        return "Patterns are not expanded; `cloudstore find` and `cloudstore ls` list what there is."
    region, _, path = rest.partition("/")
    if _is_more_than_a_path(profile, rest, path):
        return "More stands there than one path; give each a line of its own, such as those of --columns path."
    kind = path.partition("/")[0]
    if kind.lower() in TYPE_WORDS:
        return f"{kind} is a type, not an id; list its objects: cloudstore find {profile}:{region} type:{kind}"
    return ""


def _is_more_than_a_path(profile: str, rest: str, path: str) -> bool:
    """Whether a line holds several paths, or further columns behind an id."""
    found = _ID.match(path)
    return any(f"{mark}{profile}:" in rest for mark in _MARKS) or (
        found is not None and path[found.end() :][:1] in _MARKS
    )


def where_else(address: str) -> str:
    """Where an id that is not in its region may be; empty if it is not an id."""
    profile, _, rest = address.partition(":")
    path = rest.partition("/")[2]
    return f"It may be in another region: cloudstore find {profile} {path}" if _ID.fullmatch(path) else ""
