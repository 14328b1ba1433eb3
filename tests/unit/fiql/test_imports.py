"""What importing the package costs."""

import subprocess
import sys

CODE = """
import sys
from cloudstore_tui.fiql.parser import parse
print("lark" in sys.modules)
parse("a==1")
print("lark" in sys.modules)
"""


def test_lark_is_imported_by_the_first_parse_and_not_before() -> None:
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=60, check=True)
    assert run.stdout.split() == ["False", "True"]
