"""Which proxy of the environment a request goes through, for messages."""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass


def proxy_for(scheme: str, host: str) -> str:
    """Host and port of the proxy to a host, without user and password; empty if there is none."""
    proxies = getproxies()
    address = proxies.get(scheme) or proxies.get("all") or ""
    if not address or proxy_bypass(host):
        return ""
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        return f"{parts.hostname or '?'}:{parts.port}" if parts.port else parts.hostname or "?"
    except ValueError:
        return "of the environment"
