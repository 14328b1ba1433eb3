"""The configuration file: whether it is there, and who else may write it."""

import os
import shlex
import stat

from cloudstore_tui.config.profiles import Config
from cloudstore_tui.doctor.finding import Finding, Verdict

TITLE = "configuration"


def look_at_configuration(config: Config) -> Finding:
    """What there is to say of a file that was read without an error."""
    path, count = config.path, len(config.profiles)
    if not count:
        hint = "Add one: cloudstore profile add. Or try the program without: cloudstore demo."
        return Finding("", TITLE, Verdict.WARN, f"{path}: no profiles", hint)
    text = f"{path}: {count} profile{'s' * (count > 1)}"
    if os.name == "posix" and path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        # It names commands that are run, and the hosts that secrets are sent to.
        hint = f"Run: chmod go-w {shlex.quote(str(path))}"
        return Finding("", TITLE, Verdict.WARN, f"{text}, and others can write it", hint)
    return Finding("", TITLE, Verdict.OK, text)
