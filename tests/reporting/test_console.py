"""Words reach every console, whatever signs it knows."""

import io

import pytest

from model.reporting.console import plain, ready_streams


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), ("£10m ± 2", "GBP 10m +/- 2"), ("1 × 2 − 3", "1 x 2 - 3"), ("Łódź…", "?odz..."), ("café", "cafe")],  # noqa: RUF001
)
def test_plain_signs_stand_for_others(text, expected):
    assert plain(text) == expected


@pytest.mark.parametrize(("encoding", "expected"), [("utf-8", "£5 −1"), ("latin-1", "£5 -1"), ("ascii", "GBP 5 -1")])  # noqa: RUF001
def test_only_signs_a_console_lacks_are_replaced(encoding, expected, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(written, encoding=encoding, write_through=True))
    ready_streams()
    print("£5 −1", end="")  # noqa: RUF001

    assert written.getvalue().decode(encoding) == expected
