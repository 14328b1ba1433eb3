"""A command that begins at once: the program is loaded in one process, and each run of it is a fork of that.

For shells that call it again and again; what they hand over and what they get is the same.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_CLIENT = """#!/bin/sh
reply={folder}/reply.$$
mkfifo "$reply"
{{ printf '%s\\0' "$reply" "$PWD" "$#" "$@"; env -0; }} >{folder}/requests
cat "$reply"
rm "$reply"
"""
_SERVER = """
import os, sys
from importlib import import_module
from cloudstore_tui.cli.main import main

folder, *modules = sys.argv[1:]
for module in modules:
    import_module(module)
print("ready", flush=True)
while True:
    with open(f"{folder}/requests", "rb") as pipe:
        reply, place, count, *given = pipe.read().split(b"\\0")[:-1]
    if os.fork() == 0:
        os.chdir(place)
        os.environb.clear()
        os.environb.update(line.split(b"=", 1) for line in given[int(count):])
        os.dup2(os.open(reply, os.O_WRONLY), 1)
        main([os.fsdecode(word) for word in given[:int(count)]])
    os.wait()
"""


@contextmanager
def forking_command(path: Path, environment: Mapping[str, str], *modules: str) -> Iterator[None]:
    """Make the command `path`, in a locale of `environment`, with these modules loaded; its errors go nowhere."""
    folder = path.with_name(f"{path.name}.pipes")
    folder.mkdir()
    os.mkfifo(folder / "requests")
    path.write_text(_CLIENT.format(folder=folder))
    path.chmod(0o700)
    command = [sys.executable, "-c", _SERVER, str(folder), *modules]
    server = subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
        yield
    finally:
        server.kill()
        server.communicate()
