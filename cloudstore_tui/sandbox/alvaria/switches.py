"""The open questions of this service, and the answers the sandbox can give."""

from cloudstore_tui.sandbox.switches import NUMBER, Switch


def _switch(id_: str, text: str, *values: str) -> Switch:
    return Switch(id_, text, values[0], values)


SWITCHES: tuple[Switch, ...] = (
    _switch("A-1", "where the token request names the realm: query or body", "either"),
    _switch("A-2", "status for a missing scope; 401 has no body", "403", "401"),
    _switch("A-3", "status for a missing or unknown x-api-key", "403", "401"),
    _switch("A-4", "do scopes of a folder open its children?", "yes", "no"),
    _switch("A-5", "listing the root", "400"),
    _switch("A-6", "folder key without its slash: nothing, or the beginning of keys", "404", "prefix"),
    _switch("A-7", "an existing folder that is empty", "empty", "404"),
    _switch("A-8", "keyType=file:directory", "supported", "400"),
    _switch("A-9", "does file:directory name the folder itself?", "no", "yes"),
    _switch("A-10", "entries of a page at most", "1000"),
    _switch(
        "A-11",
        "page tokens: the page starts after their key, or with it, or they are told percent-encoded",
        *("exclusive", "inclusive", "quoted"),
    ),
    _switch("A-12", "the token after the last page", "absent", "blank", "null"),
    _switch("A-13", "type of totalItems", "string", "number", "absent"),
    _switch("A-14", "shape of a signed URL reply of v2", "bare", "wrapped"),
    _switch("A-15", "how sizes are written", "KB", "kb", "blank"),
    _switch("A-16", "deleting a folder key", "400", "recursive"),
    _switch("A-17", "deleting what is not there", "404", "success"),
    _switch("A-18", "uploading outside imports/", "403", "allowed"),
    _switch("A-19", "uploading over what is there", "replaces"),
    _switch("A-20", "a link to upload into an unknown folder", "404"),
    _switch("A-21", "folders of v3 asked for through v2", "404", "visible"),
    Switch("A-22", "seconds a signed URL is good for, whatever it says", "3600", NUMBER),
    _switch("A-23", "are native links reachable?", "yes", "no"),
    _switch("A-24", "ranges of proxied links", "206", "200"),
    _switch(
        "A-25",
        "throttling: off, every request, or every second one; plain or with Retry-After",
        *("off", "429", "429 with Retry-After", "without", "with"),
    ),
    _switch("A-26", "type of an error's code", "string", "number"),
    _switch("A-cloud", "whose object store is behind it", "aws", "gcp"),
    _switch("A-end", "does a listing ever end, or go on with one token, or with empty pages?", "yes", "no", "empty"),
    _switch(
        "A-links", "links of a signed URL reply of v2: both, the one asked for, or the other", "both", "asked", "other"
    ),
    _switch(
        "A-link",
        "damage to signed links",
        *("none", "blank", "empty", "other folder", "other key", "other host"),
    ),
    Switch("A-token-life", "seconds that a token of Alvaria lives", "3599", NUMBER),
)
"""Questions numbered as in the description of the protocol, and what tests need besides."""
