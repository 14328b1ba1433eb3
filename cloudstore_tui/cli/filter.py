"""`fiql`: look at a filter before it is sent."""

import click

from cloudstore_tui.cli.options import json_option
from cloudstore_tui.cli.output import Output
from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.fiql import Node, Problem, check, parse, unparse


@click.group("fiql")
def fiql_command() -> None:
    """Look at FIQL filters before they are sent."""


@fiql_command.command("check")
@click.argument("text")
@json_option
def check_command(text: str, *, as_json: bool) -> None:
    """Check a filter; nothing is sent.

    \b
    Examples:
      cloudstore fiql check "type==callcenterrecording;duration=gt=90000"
      cloudstore fiql check "createdTime=ge=2024-09-01"
    """
    output = Output(as_json=as_json)
    tree = parse(text)
    for problem in warnings_of(tree, text):
        if as_json:
            output.record({"warning": problem.text, "position": problem.position, "cure": problem.cure})
        else:
            output.line(f"warning: {problem.text}. {problem.cure}".rstrip())
    if as_json:
        output.record({"fiql": unparse(tree)})
    else:
        output.line(f"valid: {unparse(tree)}")


def warnings_of(tree: Node, text: str) -> list[Problem]:
    """What looks wrong with a filter but can be sent.

    Raises:
        FilterError: it cannot be sent as it is; the cure shows the corrected text where there is one.
    """
    problems = check(tree, text)
    for problem in problems:
        if problem.fatal:
            corrected = f" Corrected: {problem.corrected}" if problem.corrected else ""
            raise FilterError(problem.text, text=text, position=problem.position, cure=f"{problem.cure}{corrected}")
    return list(problems)
