"""A connection that a fault can get at: the server's own protocol, and what it leaves in the scope of each request."""

import asyncio
import fcntl
import socket
import struct
import termios
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

STATE = "sandbox.connection"
"""Where a scope's state holds the connection."""

PATIENCE = 5.0
"""Seconds that the other side has to take the last bytes before a reset, which would void them."""

_STEP = 0.002


class Connection:
    """One connection, below HTTP."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self.lost = asyncio.Event()
        """Set once it has ended, whoever ended it."""

    async def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        if self._flow.write_paused:
            await self._flow.drain()
        if not self._transport.is_closing():
            self._transport.write(data)

    async def reset(self) -> None:
        """End it with RST, after the other side has what was sent so far."""
        await self._taken()
        sock = self._transport.get_extra_info("socket")
        if not self._transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()
        await self.lost.wait()

    async def close(self) -> None:
        """End it with FIN, after what was sent so far."""
        self._transport.close()
        await self.lost.wait()

    async def wait(self, seconds: float) -> None:
        """Let time pass, for ever with 0; no longer than the connection lives."""
        try:
            await asyncio.wait_for(self.lost.wait(), seconds or None)
        except TimeoutError:
            return

    async def _taken(self) -> None:
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while not self._transport.is_closing() and asyncio.get_running_loop().time() < deadline:
            if not self._transport.get_write_buffer_size() and not self._queued():
                return
            await asyncio.sleep(_STEP)

    def _queued(self) -> int:
        """Bytes that the system still holds."""
        sock = self._transport.get_extra_info("socket")
        held: int = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, b"\0\0\0\0"))[0]
        return held


class OpenProtocol(H11Protocol):
    """The server's protocol, which tells the application about its connection."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, dict(app_state), _loop)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        super().connection_made(transport)
        self.app_state[STATE] = Connection(transport, self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        super().connection_lost(exc)
        connection: Connection = self.app_state[STATE]
        connection.lost.set()
