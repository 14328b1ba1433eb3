"""The parts of a filter or phrase."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudstore_tui.ui.browser.search_meaning import tokens_of


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("type==a;(b!='c;d',e=in=(f,g))", "field:type operator:== value:a join:; join:( field:b operator:!= "
         "value:'c;d' join:, field:e operator:=in= join:( value:f join:, value:g join:) join:)"),
        ("a==1,b==2", "field:a operator:== value:1 join:, field:b operator:== value:2"),
        ('-agent:"A B",C dur:>90s x', '-field:agent operator:: value:"A_B" join:, value:C field:dur operator::> '
         "value:90s text:x"),
        ('agent:"half', 'field:agent operator:: value:"half'),
        ("queue:?queue", "field:queue operator:: placeholder:?queue"),
        ("@monday queue=Sales", "saved:@monday field:queue operator:= value:Sales"),
        ("(ty", "join:( field:ty"),
    ],
)  # fmt: skip
def test_parts(text: str, parts: str) -> None:
    found = " ".join(f"{token.part}:{token.of(text).replace(' ', '_')}" for token in tokens_of(text))
    assert found == parts.replace("-field:agent", "field:-agent")


@given(st.text(alphabet=" \t@?-:=!<>()',;\"\\abz.~é…", max_size=60))
def test_tokens_are_in_order_and_leave_out_blanks_only(text: str) -> None:
    end = 0
    for token in tokens_of(text):
        assert end <= token.start < token.end <= len(text)
        assert not text[end : token.start].strip()
        end = token.end
    assert not text[end:].strip()
