"""The codebook: every result table, what one of its rows is, and every column."""

from collections.abc import Iterator

from model.tables.schema import (
    DIMENSIONS,
    EVERY_CAMPAIGN,
    EVERY_RUN,
    ON_REQUEST,
    OPTIONAL_TABLES,
    TABLES,
    WHERE_DRAWN,
    table_named,
)

WRITTEN = {
    EVERY_RUN: "every run adds rows",
    OPTIONAL_TABLES: "runs add rows in a small comparison, or with `--lives`",
    EVERY_CAMPAIGN: "once a study",
    WHERE_DRAWN: "once, where uncertain numbers are drawn",
    ON_REQUEST: "by `upstream appraise`",
}
"""When the tables are written."""


QUERIES = """\
Ask in SQL, on the command line or in Python, where the answer is a data frame:

```sh
upstream query results/001 "SHOW TABLES"
upstream query results/001 "DESCRIBE monthly"
upstream query results/001 "SELECT scenario, seed, payer, sum(amount_gbp) FROM ledger WHERE draw = 0 GROUP BY ALL"
upstream query results/001 "SELECT * FROM monthly WHERE replicate = 0" --csv months.csv
upstream export results/001 --csv tables
```

```python
Results("results/001").sql("SELECT scenario, run, month, sum(in_crisis * scale) AS n FROM monthly GROUP BY ALL")
```

What a plan changes is no table: `Results("results/001").compare()` has the difference of every pair of runs, and \
`Results("results/001").effects(by=["year", "quintile"])` the means, each with the \
interval by chance alone and that with all doubted.

The SQL is that of DuckDB. A name with dots stands in double quotes: `"plan.community_hub.budget_gbp_per_year"`. A \
column that keeps its name keeps its unit; give what you compute a name of its own. A query is one SELECT. It reads \
these tables and nothing else: no file, no network. It is stopped after a minute (`--timeout`) or at 2 GB of memory; \
outside Linux, one text of gigabytes may take more until the time is over. The table \
`study` has one row: whether all runs were finished.\
""".splitlines()
"""How to ask."""


def tables_page() -> str:
    """Return the codebook of all result tables as Markdown.

    Examples
    --------
    >>> tables_page().splitlines()[0]
    '# Result tables'
    """
    return "\n".join([*_introduction(), *_contents(), *(f"\n{table_section(name).rstrip()}" for name in TABLES)]) + "\n"


def table_section(name: str) -> str:
    """Return one table as Markdown: what one row is, its key, its columns.

    Raises
    ------
    InputError
        When there is no table of that name.

    Examples
    --------
    >>> table_section("budgets").splitlines()[2]
    'One row is a year of an agency. Key: `run`, `year`, `agency`.'
    """
    table = table_named(name)
    key = ", ".join(f"`{column}`" for column in table.key)
    rows = (f"| `{one.name}` | {one.type} | {one.unit} | {one.meaning} |\n" for one in table.columns)
    return (
        f"## {name}\n\nOne row is {table.row}. Key: {key}.\n\n"
        "| column | type | unit | meaning |\n| --- | --- | --- | --- |\n" + "".join(rows)
    )


def _introduction() -> Iterator[str]:
    dimensions = ", ".join(f"`{name}`" for name in DIMENSIONS)
    yield "# Result tables"
    yield ""
    yield "Written by `upstream tables` from `model/tables/schema.py`; change it there."
    yield ""
    yield (
        "A results folder holds one Parquet file per table. A column name has one meaning and one unit in all tables. "
        "Each Parquet column carries its unit and meaning as metadata; `Results` puts them into `frame.attrs`, and "
        "`Results.to_duckdb` into comments on tables and columns. Terms are explained in the [glossary](glossary.md)."
    )
    yield ""
    yield (
        "Counts are of the sample, unless the unit says otherwise: multiply them by `scale` of the run for the "
        "real place. "
        "Money is that of the real place already."
    )
    yield ""
    yield (
        f"`Results` joins {dimensions} and `scale` from the table `runs` to every other table that is by run, and so "
        "do `upstream query` and `upstream export`. The levers of a study are columns too."
    )
    yield ""
    yield from QUERIES
    yield ""


def _contents() -> Iterator[str]:
    yield "| table | one row is | written |"
    yield "| --- | --- | --- |"
    for names, when in WRITTEN.items():
        yield from (f"| [{name}](#{name}) | {TABLES[name].row} | {when} |" for name in names)
