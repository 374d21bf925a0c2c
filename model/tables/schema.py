"""The columns of every result table: name, type, unit, meaning.

A name has one meaning and one unit in all tables. Counts are of the sample, and ``scale`` turns them
into the real place; money is the real place's already.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import pyarrow as pa

from model.core.codes import LAYER_NAMES, STATES
from model.core.errors import InputError
from model.core.own_code import register
from model.inputs.places import N_QUINTILES

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One column of a result table: Arrow type, unit, meaning."""

    name: str
    type: Literal["int8", "int16", "int32", "int64", "float32", "float64", "bool", "string"]
    unit: str
    meaning: str


@dataclass(frozen=True)
class Table:
    """One result table.

    Attributes
    ----------
    row : str
        What one row is.
    key : tuple of str
        Columns that together identify a row.
    columns : tuple of Field
        In the order they are written in.
    """

    row: str
    key: tuple[str, ...]
    columns: tuple[Field, ...]


DIMENSIONS = ("scenario", "variant", "draw", "replicate", "seed", "place")
"""Columns of ``runs`` that tell runs apart, joined to every table a reader opens."""

STATE_MONTHS = tuple(f"{state}_months" for state in STATES)
"""Columns of ``people``: months in each state."""

BILLED = ("service", "care")
"""Kinds of line in the ledger that follow from use of services and care; the others are money for prevention."""

ADULTS, RESIDENTS = "adults (sample)", "residents (sample)"
CONTACTS, MONTHS = "contacts (sample)", "person-months (sample)"
PLACE_MONTHS = "place-months"
GBP = "GBP (real place)"

DRAW = Field("draw", "int32", "number", "draw of the uncertain numbers; 0 is their best estimates")
RUN = Field("run", "int32", "number", "number of the run, as in the table runs")
PLACE = Field("place", "string", "key", "key of the place: its bundled name, or the name of its file")
PLACE_NAME = Field("place_name", "string", "name", "name of the place")
NEIGHBOURHOOD = Field("neighbourhood", "string", "code", "official code of the neighbourhood")
YEAR = Field("year", "int32", "year", "year of the run; 1 is the first after burn-in")
QUINTILE = Field(
    "quintile",
    "int8",
    "0 to 5",
    "national deprivation quintile: 1 is the most deprived, 0 is a row that is not for one quintile",
)
AGE_BAND = Field("age_band", "string", "years", "first and last age in the band, both included")
AGENCY = Field("agency", "string", "name", "the agency; in the table appraisal also all, which is the whole place")
SUPPORTERS = "supporting a programme at the end of the month or year"
ITEM = Field(
    "item",
    "string",
    "name",
    "what it is for: a service, an entry of the plan, or social_infrastructure (usual spending on places to meet); "
    "empty where a row covers all of them",
)

VALUE = Field(
    "value",
    "float64",
    "see unit or name",
    "the measure, or the number drawn; a measure of money is a present value; empty (null) where it cannot be given",
)

RUNS = Table(
    "a run",
    ("run",),
    (
        RUN,
        Field("scenario", "string", "name", "name of the scenario"),
        Field("variant", "string", "name", "structural variant of the model"),
        DRAW,
        Field("replicate", "int32", "number", "replicate, from 0"),
        Field("seed", "int64", "number", "seed of the run: the scenario's seed plus the replicate"),
        PLACE,
        PLACE_NAME,
        Field("status", "string", "word", "finished or failed"),
        Field("error", "string", "text", "what went wrong, if the run failed; otherwise empty"),
        Field("seconds", "float64", "s", "time the run took; where runs share a burn-in, the first includes it"),
        Field("settling_seconds", "float64", "s", "part of it that founding and burn-in took, or reading them"),
        Field("peak_memory_mb", "float64", "MB", "most memory that its process had held by then"),
        Field("sample_size", "int64", RESIDENTS, "residents in the sample at the start"),
        Field("scale", "float64", "ratio", "real residents that each resident of the sample represents"),
        Field("overflow", "int64", "count", "ties that found no free slot, and births into households that were full"),
        Field("digest", "string", "hash", "hash of every row and of the last month's columns"),
        Field("key", "string", "hash", "hash of all that decides the run: scenario, place, draw, seed, code and data"),
        Field(
            "lived_run",
            "int32",
            "number",
            "the run whose rows the other tables hold: this one, or the first with the same key, which is lived once",
        ),
    ),
)

MONTHLY = Table(
    "a month in a neighbourhood",
    ("run", "month", "neighbourhood"),
    (
        RUN,
        Field("month", "int32", "month", "month of the run; 1 is the first after burn-in"),
        NEIGHBOURHOOD,
        Field("residents", "int32", RESIDENTS, "residents of all ages at the end of the month"),
        Field("adults", "int32", ADULTS, "residents aged 16 and over at the end of the month"),
        *(
            Field(state, "int32", ADULTS, f"adults {state.replace('_', ' ')} at the end of the month")
            for state in STATES
        ),
        Field("life_satisfaction", "float64", "score, 0 to 10", "mean life satisfaction of adults"),
        *(
            Field(f"ties_{layer}", "float64", "ties", f"mean number of {layer} ties of an adult")
            for layer in LAYER_NAMES
        ),
        Field("lonely_often", "int32", ADULTS, "lonely often or always"),
        Field("lonely_sometimes", "int32", ADULTS, "lonely some of the time, but not often"),
        Field("no_tie", "int32", ADULTS, "without a tie in any layer: nobody to call on"),
        Field("worsened", "int32", ADULTS, "moved to a worse state in the month"),
        Field("improved", "int32", ADULTS, "moved to a better state in the month"),
        Field("births", "int32", RESIDENTS, "born in the month"),
        Field("deaths", "int32", RESIDENTS, "died in the month"),
        Field("moved_in", "int32", RESIDENTS, "moved in from elsewhere in the month"),
        Field("moved_out", "int32", RESIDENTS, "moved away in the month"),
        Field("sought_help", "int32", ADULTS, "sought help for the first time in some months"),
        Field("households", "int32", "households (sample)", "households at the end of the month"),
        Field("infrastructure_index", "float64", "ratio", "social infrastructure; 1 is the usual level"),
        Field("trust", "float64", "share", "share of adults who think they can influence local decisions"),
        Field("participation", "float64", "share", "share of adults who volunteer every month"),
        Field("participants", "int32", ADULTS, "taking part in a programme at the end of the month"),
        Field("supporters", "int32", ADULTS, SUPPORTERS),
    ),
)

PEOPLE = Table(
    "a year, deprivation quintile and age band",
    ("run", "year", "quintile", "age_band"),
    (
        RUN,
        YEAR,
        QUINTILE,
        AGE_BAND,
        Field("person_months", "int64", MONTHS, "months spent in the place, children included"),
        *(
            Field(column, "int64", MONTHS, f"months that adults spent {state.replace('_', ' ')}")
            for column, state in zip(STATE_MONTHS, STATES, strict=True)
        ),
    ),
)

SERVICES = Table(
    "a year, service, deprivation quintile and age band",
    ("run", "year", "service", "quintile", "age_band"),
    (
        RUN,
        YEAR,
        Field("service", "string", "name", "kind of contact, or stock"),
        QUINTILE,
        AGE_BAND,
        Field(
            "base_population",
            "float64",
            "people or households (sample)",
            "mean number who could demand it, at the ends of the months; households are counted by their householder",
        ),
        Field("demand", "int64", CONTACTS, "contacts asked for; for a stock, entries into it"),
        Field(
            "served", "int64", CONTACTS, "contacts met, from this demand, from those waiting and from those spilled in"
        ),
        Field("waiting", "int64", CONTACTS, "contacts waiting at the end of the year"),
        Field("spilled_in", "int64", CONTACTS, "contacts that came from another service, where they had waited"),
        Field("spilled", "int64", CONTACTS, "contacts that turned to another service while waiting"),
        Field(
            "given_up", "int64", CONTACTS, "contacts given up while waiting, including by people who died or moved away"
        ),
        Field("stock_months", "int64", MONTHS, "months spent in a stock, or in stays that began; 0 for contacts"),
        Field(
            "cost_gbp",
            "float64",
            GBP,
            "served contacts, or years in the stock, at unit cost, less what other care saves; "
            "in quintiles 1 to 5 the ledger bills the same, to half a penny a row",
        ),
    ),
)

PROGRAMMES = Table(
    "a year of an entry of the plan in a neighbourhood",
    ("run", "year", "plan_entry", "neighbourhood"),
    (
        RUN,
        YEAR,
        Field(
            "plan_entry", "string", "name", "entry of the plan: its name, its programme, or the service it buys more of"
        ),
        NEIGHBOURHOOD,
        Field("spend_gbp", "float64", GBP, "spent on the entry"),
        Field("enrolled", "int64", ADULTS, "adults who began to take part in the year"),
        Field("completed", "int64", ADULTS, "adults who took part to the end"),
        Field("dropped", "int64", ADULTS, "adults who dropped out before the end"),
        Field("supporters", "int64", ADULTS, SUPPORTERS),
        Field(
            "mean_fit",
            "float64",
            "share",
            "usable share of the money spent on places to meet; empty (null) where none was spent",
        ),
        Field(
            "place_months", "float64", PLACE_MONTHS, "months of a place that the money bought, used or not, real place"
        ),
        Field("used_months", "float64", PLACE_MONTHS, "those in which somebody had the place"),
        Field(
            "room",
            "float64",
            "people",
            "people of the real place whom those places could take one after the other, for a whole course each",
        ),
    ),
)

LEDGER = Table(
    "a year, payer, kind of spending, item and deprivation quintile",
    ("run", "year", "payer", "kind", "item", "quintile"),
    (
        RUN,
        YEAR,
        Field("payer", "string", "name", "the agency that paid"),
        Field(
            "beneficiary",
            "string",
            "name",
            "the agency whose service the money was spent on, or that runs the programme",
        ),
        Field(
            "kind",
            "string",
            "word",
            "service, care (years in a stock), programme (an entry of the plan) "
            "or usual (upkeep of places to meet, apart from any plan)",
        ),
        ITEM,
        QUINTILE,
        Field("amount_gbp", "float64", GBP, "paid, at 2024/25 prices, in whole pence"),
        Field("cashable_share", "float64", "share", "share of a saving on it that is cash"),
    ),
)

BUDGETS = Table(
    "a year of an agency",
    ("run", "year", "agency"),
    (
        RUN,
        YEAR,
        AGENCY,
        Field(
            "envelope_gbp",
            "float64",
            GBP,
            "money for the modelled services that it pays for, and for prevention",
        ),
        Field(
            "bill_gbp",
            "float64",
            GBP,
            "billed for services and care, at full cost; without housing benefit, which no budget bounds",
        ),
        Field(
            "frozen_bill_gbp",
            "float64",
            GBP,
            "the bill at the first year's demand; prices, and demand from outside the model, still grow",
        ),
        Field(
            "cash_bill_gbp",
            "float64",
            GBP,
            "paid in cash: the frozen bill, less what lower use sets free in whole steps of capacity",
        ),
        Field(
            "booked_bill_gbp",
            "float64",
            GBP,
            "the bill on which the agency decides: the cash bill, but usual for what chance of counting may explain",
        ),
        Field("planned_gbp", "float64", GBP, "planned for prevention, including usual spending on places to meet"),
        Field("prevention_gbp", "float64", GBP, "paid for prevention"),
        Field(
            "frozen_prevention_gbp",
            "float64",
            GBP,
            "what would have been paid for prevention at the frozen bill; the difference is the effect of feedback",
        ),
        Field("reserves_gbp", "float64", GBP, "reserves at the end of the year; a deficit is below 0"),
        Field("released_gbp", "float64", GBP, "left over and gone to other uses"),
        Field("unfunded_gbp", "float64", GBP, "shortfall, covered from outside"),
    ),
)

LIVES = Table(
    "a resident at the end of a year, or who died in it",
    ("run", "year", "resident"),
    (
        RUN,
        YEAR,
        Field(
            "resident",
            "int64",
            "id",
            "number of the resident, the same in every run with this seed; "
            "can be above 2^53, where a float is not exact",
        ),
        QUINTILE,
        Field(
            "state",
            "int8",
            "code",
            "wellbeing state at the end of the year, or at death: 0 thriving to 3 in crisis; -1 under 16",
        ),
        Field(
            "plan_entry_number",
            "int8",
            "number",
            "entry of the plan in which they take part at that time, from 1 in the plan's order; 0 is none",
        ),
        Field(
            "enrolled_entry_number",
            "int8",
            "number",
            "entry of the plan in which they began to take part 6 to 18 months before the end of the year; 0 is none",
        ),
        Field(
            "alive",
            "bool",
            "true or false",
            "true if they live in the place at the end of the year, "
            "false if they died there in the year; no row if they moved away",
        ),
    ),
)

NEIGHBOURHOODS = Table(
    "a neighbourhood of a place that was run",
    ("place", "neighbourhood"),
    (
        PLACE,
        PLACE_NAME,
        Field("place_kind", "string", "word", "real, miniature (of England) or synthetic (an invented town)"),
        Field("place_code", "string", "code", "official code of the place, or codes"),
        Field("place_year", "int32", "year", "year of its population figures"),
        NEIGHBOURHOOD,
        Field("neighbourhood_name", "string", "name", "name of the neighbourhood"),
        Field("population", "int64", "residents (real place)", "residents of the neighbourhood"),
        *(
            Field(
                f"population_quintile_{k}",
                "int64",
                "residents (real place)",
                f"residents in its small areas of deprivation quintile {k}",
            )
            for k in range(1, N_QUINTILES + 1)
        ),
        Field("mean_quintile", "float64", "1 to 5", "mean deprivation quintile of its residents"),
    ),
)

APPRAISAL = Table(
    "a measure of a pair of runs, by agency, quintile or item",
    ("run", "comparator_run", "measure", "agency", "quintile", "item"),
    (
        RUN,
        Field("comparator_run", "int32", "number", "the run with the same seed that it is compared with"),
        Field("measure", "string", "name", "what is measured; docs/appraisal.md explains each"),
        AGENCY,
        QUINTILE,
        ITEM,
        VALUE,
        Field("unit", "string", "unit", "GBP, WELLBY, person-years, people, points, ratio, year or a year"),
    ),
)

DRAWS = Table(
    "an uncertain number in a draw",
    ("draw", "name"),
    (
        DRAW,
        Field("name", "string", "key", "the uncertain number, as in --set: parameters.NAME, unit_costs.SERVICE"),
        VALUE,
    ),
)

TABLES: dict[str, Table] = {
    "runs": RUNS,
    "monthly": MONTHLY,
    "people": PEOPLE,
    "services": SERVICES,
    "programmes": PROGRAMMES,
    "ledger": LEDGER,
    "budgets": BUDGETS,
    "lives": LIVES,
    "neighbourhoods": NEIGHBOURHOODS,
    "draws": DRAWS,
    "appraisal": APPRAISAL,
}
"""All result tables, by name."""

register(TABLES)

EVERY_RUN = ("runs", "monthly", "people", "services", "programmes", "ledger", "budgets")
"""Tables to which every run adds its rows."""

OPTIONAL_TABLES = ("lives",)
"""Those to which runs add where a campaign compares and is not too large, or that is asked for."""

EVERY_CAMPAIGN = ("neighbourhoods",)
"""Those that are written once a campaign."""

WHERE_DRAWN = ("draws",)
"""Those that are written once a campaign that draws uncertain numbers."""

ON_REQUEST = ("appraisal",)
"""What commands make of them later."""


def add_field(table: str, field: Field) -> None:
    """Give a table a column of one's own, in this process.

    Raises
    ------
    InputError
        When a table has a column of that name: a name has one meaning in all of them.
    """
    for name, one in TABLES.items():
        if field.name in [column.name for column in one.columns]:
            raise InputError("a table has a column of this name", key=name, value=field.name, allowed="another name")
    TABLES[table] = replace(TABLES[table], columns=(*TABLES[table].columns, field))


def table_named(name: str) -> Table:
    """Return a result table by its name.

    Raises
    ------
    InputError
        When there is no table of that name.

    Examples
    --------
    >>> table_named("budgets").key
    ('run', 'year', 'agency')
    """
    if name not in TABLES:
        raise InputError("unknown table", key="table", value=name, allowed=", ".join(TABLES), known=TABLES, wanted=name)
    return TABLES[name]


def schema_of(table: str) -> pa.Schema:
    """Return the Arrow schema of a table; each field carries its unit and meaning."""
    return arrow_schema(TABLES[table].columns)


def arrow_schema(columns: Iterable[Field]) -> pa.Schema:
    """Return the Arrow schema of columns; each field carries its unit and meaning.

    Examples
    --------
    >>> arrow_schema([Field("status", "string", "word", "finished or failed")]).field("status").metadata[b"unit"]
    b'word'
    """
    return pa.schema(
        pa.field(one.name, one.type, metadata={"unit": one.unit, "meaning": one.meaning}) for one in columns
    )


def frame_of(table: str, rows: Rows) -> pa.Table:
    """Make an Arrow table of rows, in the columns and types declared; what is not a number is null.

    Raises
    ------
    KeyError
        When a declared column is missing from the rows.
    """
    schema = schema_of(table)
    return pa.table(
        [pa.array(rows[one.name], one.type, from_pandas=True) for one in schema],
        schema=schema,
    )
