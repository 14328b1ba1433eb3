"""What `profile test` and `doctor` look at."""

from cloudstore_tui.core.errors import ForbiddenError, LoginError, MissingError, UsageError
from cloudstore_tui.core.profile import Profile
from cloudstore_tui.core.provider import Check
from cloudstore_tui.net.checklist import Checklist, Doubt
from cloudstore_tui.providers.alvaria.client import AlvariaClient
from cloudstore_tui.providers.alvaria.scopes import FOLDERS


class AlvariaChecks:
    """Looks at everything that a profile needs."""

    def __init__(self, profile: Profile, client: AlvariaClient) -> None:
        self._profile = profile
        self._client = client

    async def run(self) -> tuple[Check, ...]:
        """Token, scopes, folders, uploads and clock, until the first thing that is wrong."""
        checklist = Checklist(self._profile.name, lambda: self._client.clock_skew)
        steps = [("token", self._token), ("scopes", self._scopes), ("folders", self._folders)]
        if not self._profile.read_only:
            steps.append(("uploads", self._uploads))
        return checklist.end(well=await checklist.run(steps))

    async def _token(self) -> str | Doubt:
        token = await self._client.login.token()
        return f"valid {token.life / 60:.0f} min, from {self._client.token_host}"

    async def _scopes(self) -> str | Doubt:
        granted = (await self._client.login.token()).granted
        asked = self._profile.texts("scopes")
        if not granted:
            return f"{len(asked)} asked for; the service does not say which it granted"
        if missing := [scope for scope in asked if scope not in granted]:
            raise LoginError(
                f"not granted: {', '.join(missing)}",
                subject=self._profile.name,
                hint="Ask Alvaria for them, or take them out of scopes of the profile.",
            )
        return f"{len(asked)} granted"

    async def _folders(self) -> str | Doubt:
        """One folder that the scopes should open: whether the API key and the organisation are right, too."""
        folder = next((FOLDERS[scope] for scope in self._profile.texts("scopes") if scope in FOLDERS), "exports/")
        try:
            await self._client.keys(folder, "directory", f"{self._profile.name}:{folder}", most=1)
        except MissingError as error:
            org = f"Check org of profile {self._profile.name}, too: it is the first part of your cloud's address."
            raise error.with_(hint=f"{error.hint} {org}".lstrip()) from None
        return f"{folder} can be listed with {self._client.version}"

    async def _uploads(self) -> str | Doubt:
        """Whether there is a link to upload to: having one changes nothing."""
        opened = [FOLDERS[scope] for scope in self._profile.texts("scopes") if scope in FOLDERS]
        folder = next((folder for folder in opened if folder.startswith("imports/")), "")
        if not folder:
            return "no scope for imports/: nothing can be uploaded"
        key = f"{folder}cloudstore-doctor.tmp"
        try:
            await self._client.signed(key, "upload", f"{self._profile.name}:{key}", native=False)
        except ForbiddenError as error:
            return Doubt(
                f"the profile allows changes, but the service does not: {error.message}",
                f"{error.hint} Or set read_only = true in profile {self._profile.name}.".strip(),
            )
        except (MissingError, UsageError) as error:
            return f"not known before one is tried: {error.message}"
        return f"to {folder} allowed"
