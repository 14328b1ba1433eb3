"""`doctor`: what is wrong, and what to do."""

from cloudstore_tui.cli.output import Output
from cloudstore_tui.cli.session import CommandSession, open_config, run
from cloudstore_tui.core.errors import StorageError
from cloudstore_tui.doctor import CheckResult, CheckStatus, Doctor, failed
from cloudstore_tui.providers import PROVIDERS

STEPS = 4
"""How many such waits one service may take for all its checks."""


def doctor_command(profiles: tuple[str, ...], *, as_json: bool, timeout: float) -> None:
    """Check the configuration, the secrets, the login, the rights, a listing, the clock, the disk and the terminal."""
    try:
        open_config()
    except StorageError as error:
        _show(failed("", "configuration", error), Output(as_json=as_json))
        raise SystemExit(error.code) from None

    async def work(session: CommandSession) -> None:
        for name in profiles:
            session.config.profile(name)
        doctor = Doctor(session.config, PROVIDERS, session.provider, STEPS * timeout)
        async for result in doctor.run(profiles):
            _show(result, session.output)
            codes.append(result.code)

    codes: list[int] = []
    run(work, as_json=as_json, timeout=timeout)
    if code := next(filter(None, codes), 0):
        raise SystemExit(code)


def _show(result: CheckResult, output: Output) -> None:
    if output.as_json:
        output.record(record(result))
        return
    title = f"{result.subject} {result.title}".strip()
    output.line(f"{result.status:4}  {title:22}  {result.text}")
    if result.hint and result.status is not CheckStatus.SKIP:
        output.line(f"{'':30}{result.hint}")


def record(result: CheckResult) -> dict[str, object]:
    """A result as JSON; what is empty is absent."""
    values = {
        "profile": result.subject,
        "check": result.title,
        "verdict": result.status.lower(),
        "text": result.text,
        "hint": result.hint,
        "code": result.code,
    }
    return {name: value for name, value in values.items() if value}
