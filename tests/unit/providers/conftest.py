"""The 8x8 service as a test scripts it, and a provider that speaks to it."""

from collections.abc import AsyncIterator, Iterator

import pytest

from cloudstore_tui.core.profile import OptionValue, Profile, Secret, Timeouts
from cloudstore_tui.providers.eightbyeight.provider import EightByEightProvider
from tests.support.http import ScriptedService, serving

TOKEN = {"access_token": "canary-token", "expires_in": "1799", "api_product_list": "[a, storage]"}


@pytest.fixture
def service() -> Iterator[ScriptedService]:
    scripted = ScriptedService((200, TOKEN), lambda target: target == "/oauth/v2/token")
    with serving(scripted) as scripted.url:
        yield scripted


@pytest.fixture
def profile(service: ScriptedService) -> Profile:
    options: dict[str, OptionValue] = {"api_base": service.url, "client_id": "me"}
    times = Timeouts(connect=5, read=20, give_up=0)
    return Profile("acme8", "8x8", options, False, 0, timeouts=times, secrets=lambda _name: Secret("canary-secret"))


@pytest.fixture
async def provider(profile: Profile) -> AsyncIterator[EightByEightProvider]:
    one = EightByEightProvider(profile)
    yield one
    await one.close()
