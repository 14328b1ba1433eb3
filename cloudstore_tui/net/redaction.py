"""Keeps secrets out of the log and out of errors.

Masks the secrets that are in use, in every encoding in which they may come back, and whatever looks like a secret.
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
"""Characters; masking anything shorter would garble every text."""
MAX_SECRETS = 1000
"""Secrets that are remembered; older tokens have expired."""
SHORTEST_SIGNATURE = 16
"""Characters; a value this long in the query of a signed link may be its signature."""

_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        # The query of an address, and who logs in there.
        r"(?:https?://[^\s?'\"<>]*|(?<![\w?])/[^\s?'\"<>]*)\?(?P<secret>[^\s'\"<>]+)",
        r"(?<=://)(?P<secret>[^/\s@]+)@",
        # Headers, the schemes of a login, fields of JSON and of forms, tokens.
        r"(?:\b(?:proxy-)?authorization|x-api-key|(?:set-)?cookie|api[_-]?key)['\"]?\s*[:=,]\s*"
        r"(?P<secret>b?['\"][^'\"]*['\"]|[^\n,;)}\]]+)",
        r"\b(?:Bearer|Basic)\s+(?P<secret>[A-Za-z0-9._~+/=-]{4,})",
        r"\b(?:access_token|refresh_token|id_token|client_secret|kms-key|X-(?:Amz|Goog)-[A-Za-z-]+)['\"]?\s*[:=]\s*['\"]?"
        r"(?P<secret>[^\s&'\",;)}\]]+)",
        r"(?P<secret>\b(?-i:eyJ)[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){1,2})",
    )
)
"""What looks like a secret."""

_known: dict[str, tuple[str, ...]] = {}
"""The secrets in use, and the encodings in which they may come back; the latest last."""
_links: deque[tuple[str, ...]] = deque(maxlen=200)
"""Signatures of the latest links."""
_lock = threading.Lock()


def guard(*secrets: Secret) -> None:
    """Mask these secrets from now on, in everything that is logged and in what services say."""
    for secret in secrets:
        text = secret.reveal()
        if len(text) >= SHORTEST_SECRET:
            with _lock:
                _known.pop(text, None)
                _known[text] = _forms(text)
                while len(_known) > MAX_SECRETS:
                    del _known[next(iter(_known))]


def guard_link(url: Secret) -> None:
    """Mask the signature of a link from now on."""
    values = [part.partition("=")[2] for part in url.reveal().partition("?")[2].split("&")]
    signing = tuple(form for value in values if len(value) >= SHORTEST_SIGNATURE for form in {value, unquote(value)})
    if signing:
        with _lock:
            _links.append(signing)


def _forms(text: str) -> tuple[str, ...]:
    """A secret in every encoding in which it may come back."""
    raw = text.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(raw).decode()
    forms = {
        text, quote(raw, safe=""), quote(raw), quote_plus(raw), json.dumps(text)[1:-1], html.escape(text), encoded,
        encoded.rstrip("="), base64.urlsafe_b64encode(raw).decode().rstrip("="),
    }  # fmt: skip
    # The longest first, since it may contain a shorter one.
    return tuple(sorted(forms, key=len, reverse=True))


def mask(text: str) -> str:
    """`text` with the secrets in use masked."""
    return _without(text, _in_use(text))


def redact(text: str) -> str:
    """`text` with secrets, queries of URLs, credentials and tokens masked, on one line that is safe to show."""
    # All are searched for in the original text: masking one must not hide the name by which another is recognised.
    alike = (found.span("secret") for pattern in _PATTERNS for found in pattern.finditer(text))
    return plain(_without(text, [*_in_use(text), *alike]))


def _in_use(text: str) -> list[tuple[int, int]]:
    """The spans of the secrets in use, including overlapping occurrences."""
    with _lock:
        forms = [form for forms in (*_known.values(), *_links) for form in forms if form in text]
    return [
        (found.start(), found.start() + len(form))
        for form in forms
        for found in re.finditer(f"(?={re.escape(form)})", text)
    ]


def _without(text: str, hidden: list[tuple[int, int]]) -> str:
    """`text` with a placeholder for each span; adjoining spans share one."""
    shown, at = "", 0
    for start, end in sorted(hidden):
        if start > at or not shown:
            shown += text[at:start] + HIDDEN
        at = max(at, end)
    return shown + text[at:]
