"""The proxy that the environment asks for, and where certificates are trusted from."""

import os
import ssl
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies_environment, proxy_bypass

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
"""Where systems keep their certificates; libcurl in a wheel only knows where its builder's system kept them."""


def proxy_for(url: str) -> str:
    """The URL of the proxy for a request, from `https_proxy`, `all_proxy`, `no_proxy`; empty for none."""
    parts = urlsplit(url)
    proxies = getproxies_environment()
    proxy = proxies.get(parts.scheme) or proxies.get("all") or ""
    if not proxy or proxy_bypass(parts.hostname or ""):
        return ""
    return proxy if "://" in proxy else f"http://{proxy}"


def proxy_host(proxy: str) -> str:
    """The host of a proxy, without its password."""
    return urlsplit(proxy).hostname or ""


def trusted_certificates() -> tuple[str, str]:
    """A file and a folder of certificates: what the user set, else the system's; empty where there is none."""
    chosen = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    if any(chosen):
        return chosen
    paths = ssl.get_default_verify_paths()
    file = next((name for name in (paths.cafile, *_BUNDLES) if name and Path(name).is_file()), "")
    return file, paths.capath or ""
