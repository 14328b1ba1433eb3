"""How text is written, and which tables, outlines and messages it is."""

import io
import json
import sqlite3
import zipfile
from email.message import EmailMessage
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from cloudstore_tui.preview import document, table
from cloudstore_tui.preview.model import Dialogue, Outline, Table, Text
from cloudstore_tui.preview.render import render

GERMAN = "Jürgen Müller in der Straße, schöne Grüße\n"
SPANISH = "1;José Muñoz;Logroño\r\n2;María Peña;A Coruña\r\n"
JAPANESE = "これは日本語の文章です。電話の記録を確認してください。\n"
RUSSIAN = "Здравствуйте, чем я могу вам помочь сегодня?\n"


@pytest.mark.parametrize(
    ("data", "encoding", "text"),
    [
        (GERMAN.encode() * 200 + b"M\xfcnchen\n", "UTF-8", "Jürgen Müller"),
        ("Déjà appelé – François à rappeler\r\n".encode("cp1252"), "Windows-1252 (guessed)", "Déjà appelé – François"),
        ("id,amount\n1,€ 5.00\n".encode("cp1252"), "Windows-1252 (guessed)", "€ 5.00"),
        (GERMAN.encode("cp1252") * 20, "Windows-1252 (guessed)", "Jürgen Müller"),
        (JAPANESE.encode("cp932") * 50, "cp932 (guessed)", "これは日本語"),
        (RUSSIAN.encode("cp1251") * 20, "cp1251 (guessed)", "Здравствуйте"),
        (GERMAN.encode("utf-16-le") * 20, "UTF-16 without mark", "Jürgen"),
        (GERMAN.encode("utf-16-be") * 20, "UTF-16 without mark", "Jürgen"),
        (GERMAN.encode("utf-32-le") * 20, "UTF-32 without mark", "Jürgen"),
        (GERMAN.encode("utf-32"), "UTF-32", "Jürgen"),
        (b"2024-09-01 call started\n" * 500 + b"\0" + b"2024-09-01 call ended\n", "ASCII", "2024-09-01 call started"),
    ],
)
def test_the_encoding_is_that_of_the_letters(into: Any, data: bytes, encoding: str, text: str) -> None:
    found = into("x.txt", data)
    assert found.encoding == encoding
    assert any(text in line.text for line in render(found, 80).lines)


def test_a_damaged_byte_is_reported_and_the_rest_is_read(into: Any) -> None:
    found = into("x.txt", GERMAN.encode() * 200 + b"M\xfcnchen\n")
    assert found.notes == ("One byte is damaged and shown as \ufffd.",)


@pytest.mark.parametrize("cut", range(65_530, 65_540))
def test_two_bytes_of_a_letter_that_are_cut_apart_do_no_harm(into: Any, cut: int) -> None:
    found = into("x.txt", b"x" + JAPANESE.encode("cp932") * 2000, wanted=cut)
    assert found.encoding == "cp932 (guessed)"


@pytest.mark.parametrize(
    ("data", "name", "header", "rows"),
    [
        (b'a,b\n1,"ha \n""ha"" \nha"\n3,4\n', "CSV", ("a", "b"), (("1", 'ha \n"ha" \nha'), ("3", "4"))),
        (b"\xef\xbb\xbfsep=;\r\na;b\r\n1;2,5\r\n", "CSV with semicolons", ("a", "b"), (("1", "2,5"),)),
        (b"a\tb\n1\t2\n", "tab-separated values", ("a", "b"), (("1", "2"),)),
        (b"a,b,c\n1\n1,2,3,4\n", "CSV", ("a", "b", "c"), (("1",), ("1", "2", "3", "4"))),
        (b'a,b\n5" pipe,x\n', "CSV", ("a", "b"), (('5" pipe', "x"),)),
        (SPANISH.encode("cp1252"), "CSV with semicolons", ("1", "José Muñoz", "Logroño"), None),
    ],
)
def test_a_table_is_read_by_records(into: Any, data: bytes, name: str, header: Any, rows: Any) -> None:
    found = into("x.csv", data)
    assert (found.format, found.body.header) == (name, header)
    if rows is not None:
        assert found.body.rows == rows


def test_many_columns_are_reported(into: Any) -> None:
    row = b",".join(b"%d" % number for number in range(300)) + b"\n"
    found = into("x.csv", row * 20)
    assert len(found.body.header) == 200
    assert found.notes == ("Only 200 of 300 columns are shown.",)


def test_a_record_with_line_ends_that_is_cut_is_left_out(into: Any) -> None:
    data = b"a,b\n" + b'1,"x\ny"\n' * 100
    for cut in range(len(data) - 20, len(data)):
        rows = into("x.csv", data + b'1,"x\ny"\n' * 10, wanted=cut).body.rows
        assert set(rows) == {("1", "x\ny")}


@pytest.mark.parametrize("text", [b"INSERT INTO calls VALUES (1, 'a', 3);\n" * 99, b"if (a) {\n  b(1, 2);\n}\n" * 99])
def test_code_is_no_table(into: Any, text: bytes) -> None:
    assert into("x.sql", text).format == "text"


def test_json_with_numbers_that_are_none_and_with_a_long_text_is_an_outline(into: Any) -> None:
    found = into("x.json", b'{"a": NaN, "b": -Infinity}')
    assert [node.value for node in found.body.nodes] == ["{", "NaN", "-Infinity", "}"]
    long = into("x.json", json.dumps({"data": "QUJD" * 30_000, "next": 1}).encode())
    assert (long.format, long.body.nodes[1].key, long.is_partial) == ("JSON", '"data"', True)
    assert long.body.nodes[1].value.startswith('"QUJDQUJD')


@pytest.mark.parametrize("end", ["\\", "\\u00", "\\ud83d", "\\n", "ä"])
def test_a_text_that_is_cut_within_a_letter_is_shown(into: Any, end: str) -> None:
    data = b'{"a": "x' + end.encode() + b"x" * 1000
    found = into("x.json", data, wanted=8 + len(end.encode()))
    assert isinstance(found.body, Outline)


def test_xml_on_one_line_is_one_element_a_line_and_folds(into: Any) -> None:
    call = b'<call id="1"><agent>J\xc3\xb6rg &amp; Co</agent><note/></call>'
    found = into("x.xml", b'<?xml version="1.0"?><calls>' + call * 3 + b"<!-- end --></calls>")
    lines = [line.text for line in render(found, 80).lines]
    assert (found.format, lines[:5]) == (
        "XML",
        ["<calls>", '  <call id="1">', "    <agent>Jörg & Co</agent>", "    <note/>", "  </call>"],
    )
    assert (found.body.nodes[0].count, found.body.nodes[0].last) == (4, len(lines) - 1)
    cut = into("x.xml", b'<?xml version="1.0"?><calls>' + call * 3 + b"<call id=")
    assert cut.notes == ("It is cut or damaged after these elements.",)


def test_parquet_shows_columns_and_rows(into: Any, shelf: Any) -> None:
    table = pyarrow.table({"id": list(range(1000)), "agent": ["Ann", None] * 500})
    file = io.BytesIO()
    parquet.write_table(table, file, row_group_size=300)  # type: ignore[no-untyped-call]
    found = into("x.parquet", shelf(file.getvalue()))
    assert found.body.header == ("id int64", "agent string")
    assert found.body.rows[:2] == (("0", "Ann"), ("1", ""))
    assert {name: value for name, value in found.facts if name != "written by"} == {
        "rows": "1,000", "columns": "2", "row groups": "4",
    }  # fmt: skip


def test_sqlite_shows_its_tables(into: Any) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE calls (id INTEGER, agent TEXT)")
    connection.executemany("INSERT INTO calls VALUES (?, ?)", [(number, "Ann") for number in range(7)])
    connection.commit()
    found = into("x.db", connection.serialize())
    assert (found.format, found.body.rows) == (
        "SQLite database",
        (("calls", "table", "7", "CREATE TABLE calls (id INTEGER, agent TEXT)"),),
    )


def test_tables_beyond_the_limit_are_counted_and_missed(into: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table, "MAX_TABLES", 2)
    connection = sqlite3.connect(":memory:")
    connection.executescript("CREATE TABLE a (id); CREATE TABLE b (id); CREATE TABLE c (id); CREATE VIEW d AS SELECT 1")
    found = into("x.db", connection.serialize())
    assert (dict(found.facts)["tables"], len(found.body.rows)) == ("3", 2)
    assert found.notes == ("Only the first 2 of 4 entries are shown.",)


def workbook(rows: int, sheets: int) -> bytes:
    """A spreadsheet with the same column of numbers in every sheet."""
    schemas, numbers = "http://schemas.openxmlformats.org", range(1, sheets + 1)
    main, relations = f"{schemas}/spreadsheetml/2006/main", f"{schemas}/officeDocument/2006/relationships"

    def links(kind: str, *targets: str) -> str:
        links = (
            f'<Relationship Id="rId{n}" Type="{relations}/{kind}" Target="{target}"/>'
            for n, target in enumerate(targets, 1)
        )
        return f'<Relationships xmlns="{schemas}/package/2006/relationships">{"".join(links)}</Relationships>'

    names = "".join(f'<sheet name="Sheet{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    cells = "".join(f"<row><c><v>{number}</v></c></row>" for number in range(rows))
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("_rels/.rels", links("officeDocument", "xl/workbook.xml"))
        packed.writestr("xl/_rels/workbook.xml.rels", links("worksheet", *(f"worksheets/{n}.xml" for n in numbers)))
        packed.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{relations}"><sheets>{names}</sheets></workbook>'
        )
        for n in numbers:
            packed.writestr(
                f"xl/worksheets/{n}.xml", f'<worksheet xmlns="{main}"><sheetData>{cells}</sheetData></worksheet>'
            )
    return file.getvalue()


def test_a_spreadsheet_shows_its_first_sheet_and_says_what_is_missing(
    into: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = into("x.xlsx", workbook(4, 1))
    assert (found.body.header, found.body.rows, found.notes) == (("0",), (("1",), ("2",), ("3",)), ())
    monkeypatch.setattr(table, "MAX_ROWS", 2)
    monkeypatch.setattr(table, "MAX_SHEETS", 1)
    found = into("x.xlsx", workbook(4, 2))
    assert (dict(found.facts), len(found.body.rows)) == ({"sheets": "Sheet1, …", "rows": "3"}, 2)
    assert found.notes == ("The first of 2 sheets is shown.", "Only the first 2 rows are shown.")


def test_parts_of_a_message_beyond_the_limit_are_missed(into: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "MAX_PARTS", 2)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.com>", "bob@example.com", "Hi"
    message.set_content("Hello.")
    for name in ("a.mp3", "b.mp3"):
        message.add_attachment(b"\0", maintype="audio", subtype="mpeg", filename=name)
    assert into("x.eml", message.as_bytes()).notes == ("Only its first 2 parts were looked at.",)


def test_a_message_shows_who_writes_to_whom_its_words_and_what_is_attached(into: Any) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Ann <ann@example.com>", "bob@example.com", "Grüße"
    message.set_content("Hello Bob,\nall is well.\n")
    message.add_attachment(b"\0\1\2", maintype="audio", subtype="mpeg", filename="call.mp3")
    found = into("x.eml", message.as_bytes())
    assert found.notes == ()
    facts = dict(found.facts)
    assert (found.format, facts["subject"], facts["attached"]) == ("mail", "Grüße", "call.mp3 (audio/mpeg, 3 bytes)")
    assert isinstance(found.body, Text)
    assert found.body.lines[:2] == ("Hello Bob,", "all is well.")


PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj "
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>endobj "
    b"4 0 obj<</Length 36>>stream\nBT /F 12 Tf 9 9 Td (Hello Ann) Tj ET\nendstream endobj "
    b"5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj 6 0 obj<</Title(Calls of May)>>endobj\n"
    b"trailer<</Root 1 0 R/Info 6 0 R/Size 7>>\nstartxref\n0\n%%EOF\n"
)


def test_a_pdf_shows_its_pages_and_title(into: Any) -> None:
    found = into("x.pdf", PDF)
    facts = dict(found.facts)
    assert (found.format, facts["pages"], facts["title"]) == ("PDF document", "1", "Calls of May")
    assert found.body.lines == ("— page 1 —", "Hello Ann")


def test_a_letter_with_a_colon_is_no_message(into: Any) -> None:
    assert into("x.txt", b"Note: call back.\nFrom: here on\n").format == "text"


def test_words_that_look_like_a_transcript_need_a_list(into: Any) -> None:
    assert not isinstance(into("x.json", b'{"text": "Hello", "speaker": "Ann"}').body, Dialogue)
    assert isinstance(into("x.csv", b"a,b\n1,2\n").body, Table)
