"""The codebook names every column, and the command prints what the page says."""

from pathlib import Path

import pytest

from model.cli import main
from model.reporting.pages.tables import WRITTEN, tables_page
from model.tables.schema import TABLES

PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def section(page, name):
    """Return the part of a page from the heading of one table to the next heading."""
    return page.partition(f"## {name}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("name", TABLES)
def test_the_page_has_every_column_of_a_table_with_its_type_unit_and_meaning(name):
    rows = [line for line in section(tables_page(), name).splitlines() if line.startswith("| `")]

    assert [[cell.strip() for cell in row.strip("|").split("|")] for row in rows] == [
        [f"`{one.name}`", one.type, one.unit, one.meaning] for one in TABLES[name].columns
    ]


def test_every_table_is_written_at_one_time():
    assert sorted(name for names in WRITTEN for name in names) == sorted(TABLES)


def test_the_command_prints_the_page(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["tables"])

    assert stopped.value.code == 0
    assert capsys.readouterr().out == PAGE.read_text(encoding="utf-8")


def test_the_command_prints_one_table(capsys):
    with pytest.raises(SystemExit):
        main(["tables", "ledger"])
    printed = capsys.readouterr().out

    assert printed.startswith("## ledger\n")
    assert printed.count("## ") == 1
    assert section(tables_page(), "ledger").strip() in printed


def test_an_unknown_table_is_refused_with_the_nearest_name(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["tables", "monthy"])
    (line,) = capsys.readouterr().err.splitlines()

    assert stopped.value.code == 2
    assert "monthy" in line
    assert line.endswith("Did you mean 'monthly'?")
