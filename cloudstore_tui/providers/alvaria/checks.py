"""The checks of `profile test` and `doctor`."""

from functools import partial

from cloudstore_tui.core.errors import ForbiddenError, LoginError, MissingError, UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check
from cloudstore_tui.net.checklist import Checklist, Doubt, Step
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.scopes import FOLDERS


async def check_profile(profile: Profile, client: AlvariaClient) -> tuple[Check, ...]:
    """Token, scopes, folders, uploads and clock, up to the first failure."""
    checklist = Checklist(profile.name, lambda: client.clock_skew)
    steps: list[tuple[str, Step]] = [
        ("token", partial(_token, client)),
        ("scopes", partial(_scopes, profile, client)),
        ("folders", partial(_folders, profile, client)),
    ]
    if not profile.read_only:
        steps.append(("uploads", partial(_uploads, profile, client)))
    return checklist.end(ok=await checklist.run(steps))


async def _token(client: AlvariaClient) -> str | Doubt:
    token = await client.login.token()
    return f"valid {token.life / 60:.0f} min, from {client.token_host}"


async def _scopes(profile: Profile, client: AlvariaClient) -> str | Doubt:
    await client.login.token()
    number = len(profile.texts("scopes"))
    if not client.granted:
        return f"{number} asked for; the service does not say which it granted"
    if missing := client.missing_scopes:
        raise LoginError(
            f"not granted: {', '.join(missing)}",
            subject=profile.name,
            hint="Ask Alvaria for them, or take them out of scopes of the profile.",
        )
    return f"{number} granted"


async def _folders(profile: Profile, client: AlvariaClient) -> str | Doubt:
    """A folder that the scopes should open, which also shows whether the API key and the organisation are right."""
    folder = next((FOLDERS[scope] for scope in profile.texts("scopes") if scope in FOLDERS), "exports/")
    try:
        await client.keys(folder, "directory", f"{profile.name}:{folder}", most=1)
    except MissingError as error:
        org = f"Check org of profile {profile.name}, too: it is the first part of your cloud's address."
        raise error.with_(hint=f"{error.hint} {org}".lstrip()) from None
    return f"{folder} can be listed with {client.version}"


async def _uploads(profile: Profile, client: AlvariaClient) -> str | Doubt:
    """Whether the service gives a link to upload to, which changes nothing."""
    opened = [FOLDERS[scope] for scope in profile.texts("scopes") if scope in FOLDERS]
    folder = next((folder for folder in opened if folder.startswith("imports/")), "")
    if not folder:
        return "no scope for imports/: nothing can be uploaded"
    key = f"{folder}cloudstore-doctor.tmp"
    try:
        await client.signed(key, "upload", f"{profile.name}:{key}", native=False)
    except ForbiddenError as error:
        return Doubt(
            f"the profile allows changes, but the service does not: {error.message}",
            f"{error.hint} Or set read_only = true in profile {profile.name}.".strip(),
        )
    except (MissingError, UsageError) as error:
        return f"not known before one is tried: {error.message}"
    return f"to {folder} allowed"
