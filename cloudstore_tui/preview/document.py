"""Documents: PDF and mail."""

import re
from itertools import islice

from cloudstore_tui.preview.model import Nothing, Preview, Text
from cloudstore_tui.preview.remote_file import NotFetchedError
from cloudstore_tui.preview.sample import Sample
from cloudstore_tui.preview.text import DecodedText, text_lines

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_FIRST_HEADER = re.compile(r"\A(?:From |[A-Za-z][A-Za-z-]*:[ \t])")
MAX_PAGES = 5
"""Pages whose text is shown."""
MAX_PARTS = 200


def is_pdf(head: bytes) -> bool:
    """Whether these bytes begin a PDF."""
    return head.startswith(b"%PDF-")


def pdf_preview(sample: Sample) -> Preview:
    """Version, metadata and the text of the first pages."""
    version = sample.head[5:8].decode("latin-1")
    try:
        import pypdf
    except ImportError:
        note = "To see its pages: pip install 'cloudstore-tui[pdf]'."
        return Preview("PDF document", Nothing(), (("version", version),), (note,))
    facts = [("version", version)]
    lines: list[str] = []
    try:
        reader = pypdf.PdfReader(sample.open(), strict=False)
        if reader.is_encrypted:
            return Preview("PDF document", Nothing(), tuple(facts), ("It is protected by a password.",))
        facts.append(("pages", f"{len(reader.pages):,}"))
        names = ("title", "author", "producer")
        facts += [(name, str(value)[:200]) for name in names if (value := getattr(reader.metadata, name, None))]
        for number, page in enumerate(reader.pages[:MAX_PAGES], 1):
            lines += [f"— page {number} —", *text_lines(page.extract_text())[0]]
        notes = () if len(reader.pages) <= MAX_PAGES else (f"The text of the first {MAX_PAGES} pages is shown.",)
    except NotFetchedError as error:
        notes = (str(error),)
    except pypdf.errors.PyPdfError as error:
        notes = (f"It is damaged or cut: {error}.",)
    return Preview("PDF document", Text(tuple(lines)) if lines else Nothing(), tuple(facts), notes)


def mail_preview(decoded: DecodedText, sample: Sample) -> Preview | None:
    """Headers, text and attachments of a message; `None` if the text is not one."""
    is_named = sample.facts.extension in ("eml", "mbox") or sample.facts.mime == "message/rfc822"
    if not _FIRST_HEADER.match(decoded.text) or not (is_named or _looks_like_mail(decoded.text)):
        return None
    # Deferred: hardly anything is a message.
    from email import message_from_bytes, policy
    from email.message import EmailMessage

    message = message_from_bytes(sample.head, policy=policy.default)
    facts = [(name.lower(), str(message[name])[:500]) for name in _HEADERS if message[name]]
    parts = list(islice(message.walk(), MAX_PARTS + 1))
    notes = (f"Only its first {MAX_PARTS:,} parts were looked at.",) if len(parts) > MAX_PARTS else ()
    body = message.get_body(("plain", "html")) if isinstance(message, EmailMessage) else None
    for part in parts[:MAX_PARTS]:
        if part is not body and not part.is_multipart() and part.get_filename():
            size = len(part.get_payload(decode=True) or b"")
            facts.append(("attached", f"{part.get_filename()} ({part.get_content_type()}, {size:,} bytes)"))
    text = body.get_content() if body is not None else ""
    if body is not None and body.get_content_subtype() == "html":
        text = re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", "", text, flags=re.DOTALL | re.IGNORECASE)
    return Preview("mail", Text(text_lines(text)[0]), tuple(facts), decoded.notes + notes, decoded.encoding)


def _looks_like_mail(text: str) -> bool:
    head = text[:4000].lower()
    return sum(f"\n{name.lower()}: " in f"\n{head}" for name in ("From", "To", "Subject", "Date", "Received")) >= 3
