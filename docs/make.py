"""Makes commands.md from the command line, and keys.md from the bindings.

Run: uv run python docs/make.py
"""

import inspect
import textwrap
from collections.abc import Iterator
from pathlib import Path

import click

from cloudstore_tui.app import CloudStoreApp
from cloudstore_tui.cli.main import cloudstore
from cloudstore_tui.cli.options import CommandWithSubcommands
from cloudstore_tui.ui.keys import known_bindings

HERE = Path(__file__).parent

COMMANDS = """# Every command

Made from the program by `docs/make.py`. What many commands have in common, such as paths and exit codes, is in
[command-line.md](command-line.md); jobs that people do with these commands are in [how-do-i.md](how-do-i.md).
"""
KEYS = """# Every key of the browser

Made from the program by `docs/make.py`. The ids are what `[keys]` in the [configuration](configuration.md) takes;
separate several keys with commas:

```toml
[keys]
"entries.download" = "d,f6"
```
"""


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    with click.Context(cloudstore, info_name="cloudstore") as context:
        commands = "\n".join([COMMANDS, *_commands(cloudstore, context)])
    return {"commands.md": commands, "keys.md": "\n".join([KEYS, *_keys()])}


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        with click.Context(command, info_name=name, parent=context) as inner:
            yield from _section(command, inner)
            if isinstance(command, click.Group):
                yield from _commands(command, inner)


def _section(command: click.Command, context: click.Context) -> Iterator[str]:
    command = command.own if isinstance(command, CommandWithSubcommands) else command
    yield f"## {context.command_path}\n"
    yield f"```\n{context.command_path} {' '.join(command.collect_usage_pieces(context))}\n```\n"
    yield from _help(command.help or "")
    options = [option for option in command.get_params(context) if isinstance(option, click.Option)]
    records = [record for option in options if (record := option.get_help_record(context))]
    if len(records) > 1:
        yield "| option | means |\n|---|---|"
        yield "\n".join(f"| `{_cell(names)}` | {_cell(text)} |" for names, text in records if "--help" not in names)
        yield ""


def _help(text: str) -> Iterator[str]:
    """The paragraphs of a help text without the line breaks inside them; those that click keeps are blocks."""
    for paragraph in inspect.cleandoc(text).split("\n\n"):
        if not paragraph.startswith("\b"):
            yield f"{' '.join(paragraph.split())}\n"
            continue
        title, *lines = paragraph.removeprefix("\b\n").splitlines()
        if title not in ("Example:", "Examples:"):
            yield f"{title}\n"
        block = textwrap.dedent("\n".join(lines))
        yield f"```\n{block}\n```\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _keys() -> Iterator[str]:
    pane = ""
    for binding in known_bindings(CloudStoreApp):
        here, _, _ = binding.id.partition(".")
        if here != pane:
            pane = here
            yield f"\n## {pane}\n\n| id | keys | does |\n|---|---|---|"
        yield f"| `{binding.id}` | {_key_names(binding.keys)} | {_cell(binding.tooltip)} |"
    yield ""


def _key_names(keys: tuple[str, ...]) -> str:
    return ", ".join(f"`{key}`" for key in dict.fromkeys(keys))


def main() -> None:
    """Write every page."""
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
