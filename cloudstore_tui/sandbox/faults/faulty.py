"""Lets the faults of a plan happen to the requests of an application."""

from functools import partial

from starlette.types import ASGIApp, Receive, Scope, Send

from cloudstore_tui.sandbox.faults.asked import asked_of
from cloudstore_tui.sandbox.faults.exchange import Exchange
from cloudstore_tui.sandbox.faults.plan import FaultPlan, Strike
from cloudstore_tui.sandbox.log import VISIT, Visit


class Faulty:
    """An application some of whose requests go wrong."""

    def __init__(self, app: ASGIApp, plan: FaultPlan, *, blob_port: bool) -> None:
        self._app = app
        self._plan = plan
        self._blob_port = blob_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not self._plan.active:
            await self._app(scope, receive, send)
            return
        asked = asked_of(scope, blob_port=self._blob_port)
        visit: Visit = scope["state"][VISIT]
        app = self._app
        for strike in self._plan.decide(asked):
            visit.met(strike.kind.name)
            app = self._struck(app, strike)
        await app(scope, receive, send)

    def _struck(self, app: ASGIApp, strike: Strike) -> ASGIApp:
        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            asked = asked_of(scope, blob_port=self._blob_port)
            call = (scope, receive, send)
            await strike.kind.apply(Exchange(asked, strike.values, app, call, partial(self._plan.missed, strike)))

        return faulty
