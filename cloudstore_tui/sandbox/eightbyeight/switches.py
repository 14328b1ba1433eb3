"""The open questions of the 8x8 service, with every answer that the sandbox can give."""

from cloudstore_tui.sandbox.switches import Switch


def _switch(id_: str, text: str, *values: str) -> Switch:
    return Switch(id_, text, values[0], values)


def _number(id_: str, text: str, default: str) -> Switch:
    return Switch(id_, text, default, ("*",))


SWITCHES: tuple[Switch, ...] = (
    _switch("E-1", "a limit above 100: cut to 100, refused, or given", "clamp", "400", "honoured"),
    _switch("E-2", "is a full page that ends the result the last, or does an empty one follow", "last", "empty"),
    _switch("E-3", "pageKey of a reply: offset of the next page or of this one", "next", "current"),
    _switch("E-4", "offsets from 10,000 on", "none", "400"),
    _switch("E-5", "pages and jobs: plain, in a list, or a start that lists all jobs", "object", "array", "queue"),
    _switch("E-6", "a field that no object has: a tag nobody has, or refused", "tag", "400"),
    _switch("E-7", "tags that look like numbers are compared as", "numeric", "text"),
    _switch("E-8", "does != find objects without the tag", "matches", "no match"),
    _switch("E-9", "texts: to the letter, * as wildcard, or capitals do not matter", "literal", "wildcards", "fold"),
    _switch("E-10", "quotes in a filter", "accepted", "400"),
    _switch("E-11", "ISO times in a filter", "400", "accepted"),
    _switch("E-12", "objectState anywhere in a filter ends the rule that only AVAILABLE is found", "any mention"),
    _switch("E-13", "order without sortField", "createdTime DESC"),
    _switch(
        "E-14",
        "how a presigned URL is told",
        *("json", "text", "json string", "302", "presignedUrl", "presignUrl"),
    ),
    _switch("E-15", "Authorization sent to a presigned URL", "400"),
    _switch("E-16", "content of an object that is not AVAILABLE", "403", "404", "409"),
    _switch("E-17", "Range on content and zips", "206", "200"),
    _switch("E-18", "state while an object is being restored", "ARCHIVED", "PENDING"),
    _switch("E-19", "restoring again what is being restored", "200", "409"),
    _switch("E-20", "state after the restored copy has expired", "ARCHIVED"),
    _switch(
        "E-21",
        "more than 2 GB in one zip: failed, refused, or done in part",
        "FAILED",
        "400",
        "PARTIAL_DONE",
    ),
    _switch("E-22", "ids in a start that are unknown, elsewhere or not AVAILABLE", "PARTIAL_DONE", "404"),
    _switch("E-23", "the same id twice in a start", "once"),
    _switch("E-24", "how long a finished zip lives", "24h", "60s"),
    _switch("E-25", "cancelling a finished job", "unchanged"),
    _switch("E-26", "clearing while jobs run", "all"),
    _switch("E-27", "verb of cancel", "both", "PUT"),
    _switch("E-28", "deleting with unknown ids: they are ignored, or nothing is deleted", "200", "404"),
    _switch("E-29", "names in a zip: as they are, : as a dot, or repeats numbered", "raw", "dots", "numbered"),
    _switch("E-30", "checksums of every fifth object end in -1, of some in -3", "fifth"),
    _switch("E-31", "times without zone are", "UTC"),
    _switch("E-32", "limit of requests: none, 60 a minute with Retry-After, or without it", "off", "60/min", "bare"),
    _switch("E-33", "level of every key: its own, or this one", "own", "read-only", "download-only", "edit"),
    _switch("E-34", "regions for a key without storage", "[]", "403"),
    _number("token-life", "seconds that an 8x8 token lives", "1799"),
    _number("link-life", "seconds that a presigned URL lives", "1800"),
    _number("zip-seconds", "seconds until a zip job has ended", "3"),
    _switch("zip-outcome", "how zip jobs end", "DONE", "FAILED", "PARTIAL_DONE"),
    _switch("zip-reply", "status of start, cancel and clear; 204 has no body", "200", "201", "204"),
    _switch("delete-reply", "status of a bulk delete", "200", "204"),
    _number("purge-seconds", "seconds until a deleted object is purged", "3600"),
    _number("restore-seconds", "seconds until an archived object is restored", "30"),
)
"""Those of section C, and numbers that tests want small."""
