"""What phrases compile to, and where the others are wrong."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloudstore_tui.core.errors import FilterError
from cloudstore_tui.core.models import Retention
from cloudstore_tui.fiql.parser import parse
from cloudstore_tui.fiql.phrases import (
    Compiled,
    as_phrase,
    compile_phrase,
    is_fiql,
    phrase_of,
    understand,
    with_condition,
)

NOW = datetime(2024, 9, 2, 1, 30, tzinfo=UTC)
TODAY, YESTERDAY = "1725235200000", "1725148800000"
ON = f"createdTime=ge={YESTERDAY};createdTime=lt={TODAY}"
CC = "type==callcenterrecording"


def compiled(phrase: str) -> Compiled:
    return compile_phrase(phrase, UTC, NOW)


VALID: list[tuple[str, str]] = [
    ("type:callcenterrecording", CC),
    ("type:CallCenterRecording", CC),
    ("type:!=transcript dur:>90s", "type!=transcription;duration=gt=90000"),
    ("size:1kB..1kB", "storedBytes=ge=1000;storedBytes=le=1000"),
    ("TYPE:cc", CC),
    ("type:sentiment", "type==sentimentScore"),
    ("type:calls", "type=in=(callcenterrecording,callrecording)"),
    ("type:summary,transcripts", "type=in=(summary,transcription)"),
    ("-type:summary", "type!=summary"),
    ("type:!=voicemails", "type=out=(callcentervoicemail,voicemail)"),
    ("type:brandnew", "type==brandnew"),
    ('type:"callcenterrecordin"', "type==callcenterrecordin"),
    ("state:archived", "objectState==ARCHIVED"),
    ("state:ARCHIVED,available", "objectState=in=(ARCHIVED,AVAILABLE)"),
    ("state:any", "objectState=in=(AVAILABLE,PENDING,ARCHIVED,REVOKED,DELETED,FAILED)"),
    ("state:deleted", "objectState=in=(REVOKED,DELETED)"),
    ("state:DELETED", "objectState==DELETED"),
    ("state:purged", "objectState==DELETED"),
    ('agent:"Khang Glynn"', "agentName=='Khang Glynn'"),
    ("agent:'Khang Glynn'", "agentName=='Khang Glynn'"),
    ("agent:Khang", "agentName==Khang"),
    ("agent:=Khang", "agentName==Khang"),
    ('agent:"M,DENNIS"', "agentName=='M,DENNIS'"),
    ("agent:M,DENNIS", "agentName=in=(M,DENNIS)"),
    ("agent:O'Brien", r"agentName=='O\'Brien'"),
    (r'agent:"say \"x\""', "agentName=='say \"x\"'"),
    (r'agent:"K\*"', "agentName==K*"),
    ('agent:""', "agentName==''"),
    ('-agent:"A B"', "agentName!='A B'"),
    ('agent:!="A B",C', "agentName=out=('A B',C)"),
    ('agent:"a;b==1"', "agentName=='a;b==1'"),
    ("type:work agent:Ada", "type==callrecording;userName==Ada"),
    ("type:cc user:Ada", f"{CC};agentName==Ada"),
    ("type:calls agent:Ada", "type=in=(callcenterrecording,callrecording);(agentName==Ada,userName==Ada)"),
    ("type:calls -agent:Ada", "type=in=(callcenterrecording,callrecording);agentName!=Ada;userName!=Ada"),
    ("agentid:ag17", "agentId=in=(17,ag17)"),
    ("queue:'Level 3',Sales", "queueName=in=('Level 3',Sales)"),
    ("caller:Smith", "callerName==Smith"),
    ("caller:+16695555518", "callerId==+16695555518"),
    ("type:work caller:Smith", "type==callrecording;callerId==Smith"),
    ("called:16695555518", "calleeId=in=(+16695555518,16695555518)"),
    ('called:"16695555518"', "calleeId==16695555518"),
    ("phone:+16695555518", "address==+16695555518"),
    ("direction:in", "direction=in=(INBOUND,Inbound)"),
    ("-direction:outgoing", "direction=out=(OUTBOUND,Outbound)"),
    ("call:int-1781d39f76d", "callId==int-1781d39f76d"),
    ("agentName:x AGENTNAME:!=y", "agentName==x;agentName!=y"),
    ("media-processed:true", "media-processed==true"),
    ("tag.my_own:1", "my_own==1"),
    ("tag.my_own:>5", "my_own=gt=5"),
    ("type:summary tag.agentName:x", "type==summary;agentName==x"),
    ("source:cc", "sourceObjectType=in=(callcenterrecording,callcenterrecordingchannel)"),
    ("since:yesterday", f"createdTime=ge={YESTERDAY}"),
    ("until:today", f"createdTime=lt={TODAY}"),
    ("since:2024-09-01 until:2024-09-02", ON),
    ("on:2024-09-01", ON),
    ("created:yesterday", ON),
    ("yesterday", ON),
    ("2024-09-01", ON),
    ("on:1 September 2024", ON),
    ('date:"1 Sep 2024"', ON),
    ("created:2024-08-31..2024-09-01", f"createdTime=ge=1725062400000;createdTime=lt={TODAY}"),
    ("created:yesterday..", f"createdTime=ge={YESTERDAY}"),
    ("created:..yesterday", f"createdTime=lt={TODAY}"),
    ("created:>yesterday", f"createdTime=ge={TODAY}"),
    ("created:>=yesterday", f"createdTime=ge={YESTERDAY}"),
    ("created:<yesterday", f"createdTime=lt={YESTERDAY}"),
    ("created:<=yesterday", f"createdTime=lt={TODAY}"),
    ("created:last 7 days", "createdTime=ge=1724635800000"),
    ("last 7 days agent:x", "createdTime=ge=1724635800000;agentName==x"),
    ("since:7d", "createdTime=ge=1724635800000"),
    ("since:24h ago", "createdTime=ge=1725154200000"),
    ("since:24 hours ago agent:x", "createdTime=ge=1725154200000;agentName==x"),
    ("this month", "createdTime=ge=1725148800000;createdTime=lt=1727740800000"),
    ("on:2024-09", "createdTime=ge=1725148800000;createdTime=lt=1727740800000"),
    ("since:2024-09-01T02:00+02:00", f"createdTime=ge={YESTERDAY}"),
    ("since:2024-09-01 14:30", "createdTime=ge=1725201000000"),
    ("on:2024-09-01T14:30", "createdTime=ge=1725201000000;createdTime=lt=1725201060000"),
    ("updated:today", f"updatedTime=ge={TODAY};updatedTime=lt=1725321600000"),
    ("started:yesterday", f"startTime=ge={YESTERDAY};startTime=lt={TODAY}"),
    (
        "on:2024-08-01,2024-08-03",
        "(createdTime=ge=1722470400000;createdTime=lt=1722556800000),"
        "(createdTime=ge=1722643200000;createdTime=lt=1722729600000)",
    ),
    ("type:cc dur:>90s", f"{CC};duration=gt=90000"),
    ("type:cc dur:>1:30", f"{CC};duration=gt=90000"),
    ("type:cc dur>90s", f"{CC};duration=gt=90000"),
    ("type:cc dur:>10 minutes", f"{CC};duration=gt=600000"),
    ("type:cc dur:<=1h30m", f"{CC};duration=le=5400000"),
    ("type:cc dur:1m..5m", f"{CC};duration=ge=60000;duration=le=300000"),
    ("type:cc dur:1m..", f"{CC};duration=ge=60000"),
    ("type:cc dur:1:30", f"{CC};duration=ge=90000;duration=lt=91000"),
    ("type:cc dur:250ms", f"{CC};duration==250"),
    ("type:transcript dur:>90s", "type==transcription;duration=gt=90"),
    ("type:transcript dur:>=1500ms", "type==transcription;duration=ge=2"),
    ("type:transcript dur:>1500ms", "type==transcription;duration=gt=1"),
    ("type:transcript dur:<1500ms", "type==transcription;duration=lt=2"),
    ("type:transcript dur:<=1500ms", "type==transcription;duration=le=1"),
    ("dur:>90s", "(type!=transcription;duration=gt=90000),(type==transcription;duration=gt=90)"),
    (
        "type:cc,transcript dur:<90s",
        "type=in=(callcenterrecording,transcription);"
        "((type!=transcription;duration=lt=90000),(type==transcription;duration=lt=90))",
    ),
    ("type:summary,cc dur:>90s", "type=in=(summary,callcenterrecording);duration=gt=90000"),
    ("-type:transcript dur:>90s", "type!=transcription;duration=gt=90000"),
    ("hold:>5s", "holdDuration=gt=5000"),
    ("size:<10MB", "storedBytes=lt=10000000"),
    ("size:>=1.5KiB", "storedBytes=ge=1536"),
    ("size:1kB..2kB", "storedBytes=ge=1000;storedBytes=le=2000"),
    ("size:0", "storedBytes==0"),
    ("size<10 MB", "storedBytes=lt=10000000"),
    ("question:3", "pcsQuestionNumber==3"),
    ("question:>=2 question:<5", "pcsQuestionNumber=ge=2;pcsQuestionNumber=lt=5"),
    ("  agent:x   queue:y  ", "agentName==x;queueName==y"),
    ("", ""),
    (
        'type:callcenterrecording agent:"Khang Glynn" since:yesterday until:2024-09-30 '
        "dur:>90s size:<10MB state:archived",
        f"{CC};agentName=='Khang Glynn';createdTime=ge={YESTERDAY};createdTime=lt=1727654400000;duration=gt=90000;"
        "storedBytes=lt=10000000;objectState==ARCHIVED",
    ),
]

LOCAL: list[tuple[str, str, str]] = [
    ("invoice", "", "name, person or queue contains 'invoice'"),
    ('"Level 3"', "", "name, person or queue contains 'Level 3'"),
    ('"…name…"', "", "name, person or queue contains 'name'"),
    ("-draft", "", "name, person or queue does not contain 'draft'"),
    ("*.mp3", "", "name, person or queue is like '*.mp3'"),
    ("-*.mp3", "", "name, person or queue is not like '*.mp3'"),
    ("agent:~khang", "", "agent contains 'khang'"),
    ("agent:Kh*", "", "agent is like 'Kh*'"),
    ('agent:"Kh* G*"', "", "agent is like 'Kh* G*'"),
    ("agent:Kh*,Ada", "", "agent is like 'Kh*' or is like 'Ada'"),
    ("type:calls agent:~x", "type=in=(callcenterrecording,callrecording)", "agent or user contains 'x'"),
    ('"yesterday"', "", "name, person or queue contains 'yesterday'"),
    ("type:cc int-", CC, "name, person or queue contains 'int-'"),
]

NUMBERS_AND_IDS = [
    (
        "+16695553203",
        "callerId=in=(+16695553203,16695553203),calleeId=in=(+16695553203,16695553203),"
        "address=in=(+16695553203,16695553203)",
    ),
    ("10080", "extensionNumber==10080,queueNumber==10080"),
    ("-10080", "extensionNumber!=10080;queueNumber!=10080"),
    (
        "0191acdf-0000-7000-8000-00000000aaaa",
        "id==0191acdf-0000-7000-8000-00000000aaaa,callId==0191acdf-0000-7000-8000-00000000aaaa",
    ),
    (
        "int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01",
        "callId==int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01,"
        "transactionId==int-191accbcf26-vfBqxsWQQqqJqwuSN2ed4UW4E-phone-01-acmecorp01",
    ),
]

WRONG: list[tuple[str, int, str, str]] = [
    ("agnt:x", 0, "unknown field `agnt:`", "`agent:`"),
    ("type:cc queuex:x", 8, "unknown field `queuex:`", "`queue:`"),
    ("agentNam:x", 0, "unknown field `agentNam:`", "`agentName:`"),
    ("zzz:x", 0, "unknown field `zzz:`", "`tag.zzz:`"),
    ("region:us-east", 0, "unknown field `region:`", "PROFILE:REGION"),
    ("type:callcenterrecordin", 5, "unknown type", "`callcenterrecording`"),
    ("type:cc,summry", 8, "unknown type summry", "`summary`"),
    ("state:archive", 6, "unknown state archive", "`archived`"),
    ("state:zzz", 6, "unknown state zzz", "available"),
    ("direction:sideways", 10, "unknown direction sideways", "inbound"),
    ("type:call*", 5, "unknown type", "`call`"),
    ("agent:", 6, "a value is expected after `agent:`", "agent:word"),
    ("agent: Khang", 6, "a value is expected after `agent:`", "without a blank"),
    ("agent:x,", 8, "a value is expected after `agent:`", "agent:word"),
    ('agent:"x', 6, "missing closing quote", 'Close it with "'),
    ("agent:'x", 6, "missing closing quote", "Close it with '"),
    ('agent:"x"y', 9, "a blank is missing here", "quotes"),
    ('agent:x"y"', 7, "a quote inside a value", "quotes"),
    ("agent=x", 5, "`=` is not part of a phrase", "`agent:x`"),
    ("type==summary agent:x", 4, "`==` is not part of a phrase", "`type:summary`"),
    ("agent:x type=in=summary", 12, "`=in=` is not part of a phrase", "`type:summary`"),
    ("agent:x and queue:y", 8, "`and` joins nothing", "All conditions must hold"),
    ("agent:x || queue:y", 8, "`||` joins nothing", "All conditions must hold"),
    ("(agent:x)", 0, "`(` is not part of a phrase", '"(agent:x)"'),
    ("a;b", 1, "`;` is not part of a phrase", '"a;b"'),
    ("-", 0, "nothing follows the `-`", "not wanted"),
    ("agent:x agent:y", 8, "agent is named twice", "agent:one,two"),
    ("agent:>x", 0, "agent is a text", "`agent:x`"),
    ("dur:90", 4, "'90' is not a duration", "90s"),
    ("dur:>soon", 5, "'soon' is not a duration", "90s"),
    ("dur:5m..1m", 4, "a range that ends before it begins", "smaller"),
    ("dur:>1m..5m", 5, "a range after `>`", "`dur:1m..5m`"),
    ("dur:..", 4, "a range without ends", "1m..5m"),
    ("-dur:>5s", 0, "dur cannot be negated", "`dur:<…`"),
    ("dur:~5", 0, "dur is not a text", "dur:>…"),
    ("size:big", 5, "'big' is not a size", "10MB"),
    ("question:two", 9, "'two' is not a number", "number"),
    ("since:soon", 6, "'soon' is not a date or time", "2024-09-01"),
    ("on:2024-02-30", 3, "'2024-02-30' is not a date or time", "last 7 days"),
    ("since:>today", 0, "since takes one time", "created:"),
    ("since:today until:yesterday", 12, "no time is left", "until:"),
    ("since:2024-09-01 until:2024-09-01", 17, "no time is left", "until:"),
    ("type:summary agent:x", 13, "objects of the type summary have no agent", "tag.agentName"),
    ("type:summary dur:>5s", 13, "objects of the type summary have no dur", "tag.duration"),
    ("created:!=today", 0, "created cannot be negated", "created:<"),
]


@pytest.mark.parametrize(("phrase", "text"), VALID)
def test_a_phrase_becomes_fiql(phrase: str, text: str) -> None:
    found = compiled(phrase)
    assert found.filter == text
    assert found.local == ()
    assert (found.node is None) == (not text)
    if text:
        assert parse(text) == found.node


@pytest.mark.parametrize(("phrase", "text"), NUMBERS_AND_IDS)
def test_a_number_or_an_id_alone_is_asked_for_in_its_fields(phrase: str, text: str) -> None:
    found = compiled(phrase)
    assert (found.filter, found.local) == (text, ())


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        *((text, "callerId=in=(+16695553203,16695553203)") for text in ("+1 669 555 3203", "+1 (669) 555-3203")),
        *(
            (text, "callerId=in=(+16695553203,16695553203,+6695553203,6695553203)")
            for text in ("6695553203", "669-555-3203", "(669) 555-3203", "669.555.3203")
        ),
        ("+44 20 7946 0958 2024-09-01", "callerId=in=(+442079460958,442079460958)"),
        ("caller:+1 (669) 555-3203 type:cc", "callerId==+16695553203;type==callcenterrecording"),
        (
            "phone:(669) 555-3203,+44 20 7946 0958",
            "address=in=(+16695553203,16695553203,+6695553203,6695553203,+442079460958)",
        ),
    ],
)
def test_a_telephone_number_is_found_as_screens_show_it_and_people_write_it(phrase: str, text: str) -> None:
    found = compiled(phrase)
    assert text in found.filter
    assert found.local == ()


@pytest.mark.parametrize(("phrase", "text", "local"), LOCAL)
def test_what_the_service_cannot_look_for_is_kept_apart_and_said(phrase: str, text: str, local: str) -> None:
    found = compiled(phrase)
    assert found.filter == text
    assert [str(term) for term in found.local] == [local]
    assert found.notes == (f"8x8 can't search for part of a text; only fetched rows are searched: {local}.",)


@pytest.mark.parametrize(("phrase", "position", "message", "hint"), WRONG)
def test_anything_else_is_an_error_that_says_where_and_what_to_do(
    phrase: str, position: int, message: str, hint: str
) -> None:
    with pytest.raises(FilterError) as caught:
        compiled(phrase)
    assert caught.value.position == position
    assert message in caught.value.message
    assert f"(at character {position + 1})" in caught.value.message
    assert hint in caught.value.hint
    assert caught.value.text == phrase


@pytest.mark.parametrize(
    ("phrase", "row", "keeps"),
    [
        ("voice", {"objectName": "INVOICE.pdf"}, True),
        ("voice", {"objectName": "x"}, False),
        ("voice", {}, False),
        ("-voice", {"objectName": "INVOICE.pdf"}, False),
        ("-voice", {}, True),
        ("*.mp3", {"objectName": "a.MP3"}, True),
        ("*.mp3", {"objectName": "a.mp3.json"}, False),
        ("agent:K*n", {"agentName": "Khang Glynn"}, True),
        ("agent:K*ng*n", {"agentName": "Kng"}, False),
        ("agent:Khan*ang", {"agentName": "Khang"}, False),
        ("agent:K*,Ada", {"agentName": "ada"}, True),
        ("agent:~école", {"agentName": "Jean E\u0301COLE"}, True),
        ("agent:~e\u0301cole", {"agentName": "L'École"}, True),
        ("agent:~ecole", {"agentName": "L'École"}, False),
        ("agent:Stra\u00dfe*", {"agentName": "STRASSE 1"}, True),
        ("type:calls agent:~ada", {"userName": "Ada L"}, True),
        ("voice agent:~ada", {"objectName": "voice", "agentName": "x"}, False),
    ],
)
def test_local_conditions_are_put_to_rows_without_regard_to_capitals(
    phrase: str, row: dict[str, str], keeps: bool
) -> None:
    assert compiled(phrase).keeps(row) is keeps


def test_days_are_those_of_the_display_zone() -> None:
    found = compile_phrase("on:2024-09-01", ZoneInfo("Europe/Berlin"), NOW)
    assert found.filter == "createdTime=ge=1725141600000;createdTime=lt=1725228000000"


def test_a_duration_without_a_type_says_that_both_units_are_asked_for() -> None:
    assert "seconds on transcripts" in compiled("dur:>90s").notes[0]
    assert compiled("type:cc dur:>90s").notes == ()


def test_states_that_surprise_are_explained() -> None:
    assert "REVOKED" in compiled("state:Deleted").notes[0]
    assert compiled("state:DELETED").notes == ()
    assert "all other states come too" in compiled("-state:archived").notes[0]


@pytest.mark.parametrize(
    ("text", "is_filter"),
    [
        *(("type==summary", True), ("(a==1,b==2)", True), ("a =in= (1)", True), ("a!=1", True), ("a=like=1", True)),
        *(("type:summary", False), ("agent:a==b", False), ("dur:>=5s", False), ("name", False), ("", False)),
    ],
)
def test_a_filter_is_reported_from_a_phrase(text: str, is_filter: bool) -> None:
    assert is_fiql(text) is is_filter


def test_a_filter_is_understood_as_it_was_written() -> None:
    assert understand(" a==1 ; b==2", UTC, NOW).filter == " a==1 ; b==2"
    assert understand("agent:x", UTC, NOW).filter == "agentName==x"
    with pytest.raises(FilterError):
        understand("a==1;", UTC, NOW)


@pytest.mark.parametrize(
    ("words", "phrase"),
    [
        (["agent:Khang Glynn", "since:yesterday"], 'agent:"Khang Glynn" since:yesterday'),
        (["agent:Khang Glynn,Ada Lindqvist"], 'agent:"Khang Glynn","Ada Lindqvist"'),
        (["-agent:Khang Glynn"], '-agent:"Khang Glynn"'),
        (["agent:~Khang G"], 'agent:~"Khang G"'),
        (['agent:"Khang Glynn" since:today'], 'agent:"Khang Glynn" since:today'),
        (["agent:Khang since:today"], "agent:Khang since:today"),
        (['agent:Khang "int 191"'], 'agent:Khang "int 191"'),
        (["since:last 7 days"], 'since:"last 7 days"'),
        (["last", "7", "days"], "last 7 days"),
        (["agent:Finn O'Brien"], 'agent:"Finn O\'Brien"'),
        (["phone:+1 669 555 3203,(669) 555-3204"], "phone:+1 669 555 3203,(669) 555-3204"),
        (["agent:669 555 3203"], 'agent:"669 555 3203"'),
        (["dur:>10 minutes"], 'dur:>"10 minutes"'),
        (["type==summary;agentName=='Khang Glynn'"], "type==summary;agentName=='Khang Glynn'"),
    ],
)
def test_words_of_a_command_line_get_back_the_quotes_that_the_shell_took(words: list[str], phrase: str) -> None:
    assert phrase_of(words) == phrase


def test_a_phrase_from_the_shell_means_what_its_user_typed() -> None:
    assert compiled(phrase_of(["agent:Khang Glynn", "dur:>10 minutes", "type:cc"])).filter == (
        f"agentName=='Khang Glynn';duration=gt=600000;{CC}"
    )


@pytest.mark.parametrize(
    ("text", "condition", "becomes"),
    [
        ("", "agent:A", "agent:A"),
        ("agent:B dur:>1m x", "agent:A", "dur:>1m x agent:A"),
        ("-agent:B since:yesterday", "agent:A", "-agent:B since:yesterday agent:A"),
        ("since:yesterday until:today", "since:2024-09-01 until:2024-09-02", "since:2024-09-01 until:2024-09-02"),
        ("agentName==B;duration=gt=5", "agent:A", "duration=gt=5;agentName==A"),
        ("agentName==A", "agent:A", "agentName==A"),
        ("a==1,b==2", "agent:A", "(a==1,b==2);agentName==A"),
    ],
)
def test_one_more_condition_takes_the_place_of_what_said_the_same(text: str, condition: str, becomes: str) -> None:
    assert with_condition(text, condition, UTC, NOW) == becomes


def test_a_phrase_is_for_the_types_of_its_place() -> None:
    assert compile_phrase("agent:A dur:>1m", UTC, NOW, ("callrecording",)).filter == "userName==A;duration=gt=60000"


def before(days: float) -> str:
    return str(int((NOW - timedelta(days=days)).timestamp() * 1000))


@pytest.mark.parametrize(
    ("phrase", "filter_"),
    [
        ("expires:<7d", f"(type==summary;createdTime=lt={before(-2)}),(type!=summary;createdTime=lt={before(23)})"),
        ("type:summary expires:<7d", f"type==summary;type==summary;createdTime=lt={before(-2)}"),
        ("type:voicemail expires:7d", f"type==voicemail;createdTime=lt={before(23)}"),
        ("type:voicemail expires:7D", f"type==voicemail;createdTime=lt={before(23)}"),
        ("type:voicemail expires:>7d", f"type==voicemail;createdTime=ge={before(23)}"),
        ("type:voicemail expires:1w..2w", f"type==voicemail;createdTime=ge={before(23)};createdTime=lt={before(16)}"),
        ("type:voicemail expires:<2024-09-03", f"type==voicemail;createdTime=lt={before(30 - 1 + 1.5 / 24)}"),
    ],
)
def test_what_expires_is_a_time_of_creation_by_the_policy(phrase: str, filter_: str) -> None:
    policy = Retention(timedelta(days=30), types={"summary": Retention(timedelta(days=5))})
    made = compile_phrase(phrase, UTC, NOW, retention=policy)
    assert made.filter == filter_
    assert "by your policy" in made.notes[0]


def test_what_expires_is_not_known_without_a_policy() -> None:
    with pytest.raises(FilterError, match="does not say how long") as raised:
        compiled("expires:<7d")
    assert "retention = {" in raised.value.hint
    of_one = Retention(types={"summary": Retention(timedelta(days=5))})
    with pytest.raises(FilterError, match="your policy says nothing of these types"):
        compile_phrase("type:voicemail expires:<7d", UTC, NOW, retention=of_one)
    for wrong in ("-expires:<7d", "expires:soon", "expires:~7"):
        with pytest.raises(FilterError):
            compile_phrase(wrong, UTC, NOW, retention=of_one)


@pytest.mark.parametrize("phrase", ["expires:<99999y", "expires:<0001-01-02", "expires:1d..99999y"])
def test_what_expires_beyond_the_calendar_is_refused(phrase: str) -> None:
    with pytest.raises(FilterError, match="beyond the calendar"):
        compile_phrase(phrase, UTC, NOW, retention=Retention(timedelta(days=30)))


# Filters of places as phrases that mean the same


ZONE = ZoneInfo("UTC")


@pytest.mark.parametrize(
    "phrase", ["type:callcenterrecording", "type:callrecording on:2024-09", "type:a on:2024", "type:a on:2024-02-29"]
)
def test_what_a_phrase_finds_is_offered_as_that_phrase(phrase: str) -> None:
    sent = understand(phrase, ZONE, datetime.now(UTC)).filter
    assert as_phrase(sent, ZONE, datetime.now(UTC)) == phrase


@pytest.mark.parametrize(
    "filter_",
    [
        *("", "type!=a", "type==a,type==b", "createdTime=ge=1725148800000", "duration=gt=5", "type=in=(a,b)"),
        "createdTime=ge=99999999999999999",
    ],
)
def test_what_no_phrase_says_alike_is_not(filter_: str) -> None:
    assert as_phrase(filter_, ZONE, datetime.now(UTC)) == ""


def test_days_of_another_zone_are_no_days_of_this_one() -> None:
    sent = understand("on:2024-09-01", ZONE, datetime.now(UTC)).filter
    assert as_phrase(sent, ZoneInfo("Asia/Tokyo"), datetime.now(UTC)) == ""
