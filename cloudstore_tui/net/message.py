"""The words of a service in the body of a refusal, whatever shape it has."""

import html
import re

import msgspec

from cloudstore_tui.core.text import plain

LONGEST_MESSAGE = 200
"""Characters of a service's own words that are shown."""

_TITLE = re.compile(rb"<title[^>]{0,200}>(.{0,2000}?)</title>", re.IGNORECASE | re.DOTALL)
_XML_MESSAGE = re.compile(rb"<Message>(.{0,2000}?)</Message>", re.DOTALL)
_XML_CODE = re.compile(rb"<Code>([A-Za-z0-9_.-]{1,80})</Code>")
_HEAD = 65_536
"""Bytes of a page in which its title is looked for."""

_KEYS = ("detail", "message", "faultstring", "error_description", "Error")
_LAST_KEYS = ("title", "reason", "error", "ErrorCode")
_CODE_KEYS = ("errorcode", "errorCode", "ErrorCode", "code", "error")
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,80}")
"""What a code looks like; `error` may hold a sentence just as well."""


def is_html(body: bytes) -> bool:
    """Whether a body is a web page, made for people."""
    head = body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return head.startswith(b"<") and (b"<html" in head or b"<!doctype html" in head or b"<head" in head)


def is_xml(body: bytes) -> bool:
    """Whether a body is any other kind of markup."""
    return body[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") and not is_html(body)


def message_of(body: bytes) -> str:
    """The service's own words: one line that is safe to show, at most 200 characters; nothing if there are none."""
    head = body[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        found = _XML_MESSAGE.search(head) or _TITLE.search(head)
        return _short(html.unescape(found[1].decode("utf-8", "replace"))) if found else ""
    if not head.startswith((b"{", b"[")):
        return _short(head[: 4 * LONGEST_MESSAGE].decode("utf-8", "replace"))
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        return _short(_words(value))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return _short(head[: 4 * LONGEST_MESSAGE].decode("utf-8", "replace"))


def code_of(body: bytes) -> str:
    """The service's own name for what is wrong, such as `invalid_scope` or `NoSuchKey`; empty without one."""
    head = body[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"<"):
        found = _XML_CODE.search(head)
        return found[1].decode() if found else ""
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, ValueError):
        return ""
    return _code(value) if isinstance(value, dict) else ""


def _code(value: dict[str, object]) -> str:
    for key in ("fault", "detail", "error"):
        if isinstance(inner := value.get(key), dict) and (code := _code(inner)):
            return code
    texts = (_text(value.get(key)) for key in _CODE_KEYS)
    return next((text for text in texts if _NAME.fullmatch(text)), "")


def _words(value: object) -> str:
    """The most telling text: that of an inner error before that of an outer one."""
    if isinstance(value, list):
        return "; ".join(dict.fromkeys(filter(None, map(_words, value))))
    if not isinstance(value, dict):
        return ""
    for key in ("fault", "error"):
        if isinstance(value.get(key), dict) and (words := _words(value[key])):
            return words
    several = _words(value["errors"]) if isinstance(value.get("errors"), list) else ""
    if several and "detail" not in value:
        return several
    return next((text for key in (*_KEYS, *_LAST_KEYS) if (text := _text(value.get(key)))), several)


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    return plain(" ".join(text.split()), LONGEST_MESSAGE)
