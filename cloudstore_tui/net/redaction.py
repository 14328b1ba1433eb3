"""The one guard that keeps secrets out of the log and out of errors.

It masks the secrets that are in use, in every form in which they may come back, and what looks like one.
"""

import base64
import html
import json
import re
import threading
from collections import deque
from urllib.parse import quote, quote_plus, unquote

from cloudstore_tui.core.profile import Secret
from cloudstore_tui.core.text import plain

HIDDEN = "…"
SHORTEST_SECRET = 4
"""Characters; what is shorter would mask half of every text, and hides nothing."""
MAX_SECRETS = 1000
"""Secrets that are kept in mind; tokens of long ago have ended."""
SHORTEST_SIGNATURE = 16
"""Characters of a value in the query of a signed link that may be what signs it."""

_QUERY = re.compile(r"(?P<kept>https?://[^\s?'\"<>]*|(?<![\w?])/[^\s?'\"<>]*)\?[^\s'\"<>]*")
_USER = re.compile(r"(?<=://)[^/\s@]*@")
_HEADER = re.compile(
    r"(?P<kept>\b(?:proxy-)?authorization|x-api-key|(?:set-)?cookie|api[_-]?key)(?P<mark>['\"]?\s*[:=,]\s*)"
    r"(?:b?['\"][^'\"]*['\"]|[^\n,;)}\]]+)",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"\b(?P<kept>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}", re.IGNORECASE)
_FIELD = re.compile(
    r"(?P<kept>\b(?:access_token|refresh_token|id_token|client_secret|kms-key|X-(?:Amz|Goog)-[A-Za-z-]+))"
    r"(?P<mark>['\"]?\s*[:=]\s*['\"]?)[^\s&'\",;)}\]]+",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2}")

_known: dict[str, tuple[str, ...]] = {}
"""The secrets in use, with the forms in which they may come back; the latest last."""
_links: deque[tuple[str, ...]] = deque(maxlen=200)
"""What signs the latest links."""
_lock = threading.Lock()


def guard(*secrets: Secret) -> None:
    """Mask these secrets from now on in all that is logged, and in a service's words."""
    for secret in secrets:
        text = secret.reveal()
        if len(text) >= SHORTEST_SECRET:
            with _lock:
                _known.pop(text, None)
                _known[text] = _forms(text)
                while len(_known) > MAX_SECRETS:
                    del _known[next(iter(_known))]


def guard_link(url: Secret) -> None:
    """Mask what signs a link, as `guard` does."""
    values = [part.partition("=")[2] for part in url.reveal().partition("?")[2].split("&")]
    signing = tuple(form for value in values if len(value) >= SHORTEST_SIGNATURE for form in {value, unquote(value)})
    if signing:
        with _lock:
            _links.append(signing)


def _forms(text: str) -> tuple[str, ...]:
    """A secret as it is, and as others may write it."""
    raw = text.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(raw).decode()
    forms = {
        text, quote(raw, safe=""), quote(raw), quote_plus(raw), json.dumps(text)[1:-1], html.escape(text), encoded,
        encoded.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }  # fmt: skip
    # The longest first: a short form may be a part of it.
    return tuple(sorted(forms, key=len, reverse=True))


def mask(text: str) -> str:
    """`text` without the secrets that are in use."""
    with _lock:
        known = [*_known.values(), *_links]
    for forms in known:
        for form in forms:
            if form in text:
                text = text.replace(form, HIDDEN)
    return text


def redact(text: str) -> str:
    """`text` without secrets, queries of addresses, credentials and tokens, on one line that is safe to show."""
    text = _USER.sub(f"{HIDDEN}@", mask(text))
    text = _QUERY.sub(rf"\g<kept>?{HIDDEN}", text)
    text = _SCHEME.sub(rf"\g<kept> {HIDDEN}", text)
    text = _HEADER.sub(rf"\g<kept>\g<mark>{HIDDEN}", text)
    text = _FIELD.sub(rf"\g<kept>\g<mark>{HIDDEN}", text)
    return plain(_JWT.sub(HIDDEN, text))
