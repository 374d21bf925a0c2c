"""The columns of every result table: name, type, unit, meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from model.core.codes import LAYER_NAMES, STATES
from model.core.errors import InputError

Rows = Mapping[str, Any]


@dataclass(frozen=True)
class Field:
    """One column of a result table: Arrow type, unit, meaning."""

    name: str
    type: str
    unit: str
    meaning: str


RUN = Field("run", "int32", "number", "the run, as in the table runs")

DIMENSIONS = ("scenario", "variant", "draw", "replicate", "seed", "place")
"""Columns of ``runs`` that tell runs apart, joined to every table a reader opens."""

TABLES: dict[str, tuple[Field, ...]] = {
    "runs": (
        RUN,
        Field("scenario", "string", "name", "what was simulated"),
        Field("variant", "string", "name", "which structure of the model"),
        Field("draw", "int32", "number", "parameter draw; 0 is the central values"),
        Field("replicate", "int32", "number", "replicate, from 0"),
        Field("seed", "int64", "number", "seed of the run: that of the scenario + replicate"),
        Field("place", "string", "name", "where"),
        Field("status", "string", "word", "finished or failed"),
        Field("error", "string", "text", "what went wrong, where a run failed"),
        Field("seconds", "float64", "s", "time the run took; of runs that share a burn-in, the first bears it"),
        Field("peak_memory_mb", "float64", "MB", "most memory its worker held until then"),
        Field("residents", "int64", "residents", "residents in the sample at the start"),
        Field("scale", "float64", "ratio", "real residents for each one in the sample"),
        Field("overflow", "int64", "ties", "ties that found no free slot, and births into homes that were full"),
        Field("digest", "string", "hash", "of every row and the last month's columns"),
    ),
    "monthly": (
        RUN,
        Field("month", "int32", "month", "1 is the first after burn-in"),
        Field("neighbourhood", "string", "code", "as in the profile of the place"),
        Field("residents", "int32", "residents", "of all ages, at the end of the month"),
        Field("adults", "int32", "adults", "aged 16 and over; base of the columns below"),
        *(Field(state, "int32", "adults", f"adults {state.replace('_', ' ')}") for state in STATES),
        Field("life_satisfaction", "float64", "score 0-10", "mean over adults"),
        *(Field(f"ties_{layer}", "float64", "ties", f"mean {layer} ties over adults") for layer in LAYER_NAMES),
        Field("lonely_often", "int32", "adults", "lonely often or always"),
        Field("lonely_sometimes", "int32", "adults", "lonely some of the time, and not often"),
        Field("no_tie", "int32", "adults", "without a tie of any layer: nobody to call on"),
        Field("worsened", "int32", "adults", "went to a worse state in the month"),
        Field("improved", "int32", "adults", "went to a better state in the month"),
        Field("births", "int32", "residents", "born in the month"),
        Field("deaths", "int32", "residents", "died in the month"),
        Field("moved_in", "int32", "residents", "moved in from elsewhere in the month"),
        Field("moved_out", "int32", "residents", "moved away in the month"),
        Field("sought_help", "int32", "adults", "sought help for the first time in some months"),
        Field("households", "int32", "households", "at the end of the month"),
        Field("index", "float64", "ratio", "social infrastructure, 1 as usual"),
        Field("trust", "float64", "share", "of adults who think they can influence local decisions"),
        Field("participation", "float64", "share", "of adults who volunteer every month"),
        Field("enrolled", "int32", "adults", "taking part in a programme"),
        Field("supporters", "int32", "adults", "supporting one"),
    ),
    "people": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field("age_band", "string", "band", "age band"),
        Field("person_months", "int64", "months", "lived in the sample, children included"),
        *(Field(state, "int64", "months", f"of them {state.replace('_', ' ')}") for state in STATES),
    ),
    "services": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("service", "string", "name", "kind of contact, or stock"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field("age_band", "string", "band", "age band"),
        Field(
            "base_population",
            "float64",
            "people or households",
            "mean number whose demand it is, at the ends of the months; households by their householder",
        ),
        Field("demand", "int64", "contacts", "asked for in the sample; of a stock, entries into it"),
        Field("served", "int64", "contacts", "met, of these and of those that waited or spilled in"),
        Field("waiting", "int64", "contacts", "waiting at the end of the year"),
        Field("spilled_in", "int64", "contacts", "come from another service for which they waited"),
        Field("spilled", "int64", "contacts", "turned to another service while waiting"),
        Field("given_up", "int64", "contacts", "given up while waiting, those who died or moved away among them"),
        Field("stock_months", "int64", "months", "lived in a stock; 0 for contacts"),
        Field(
            "cost_gbp",
            "float64",
            "GBP",
            "served contacts, or years in the stock, at their unit cost, less what other care saves; in the sample: times scale it is what the ledger bills in quintiles 1 to 5, to half a penny a line",
        ),
    ),
    "programmes": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("programme", "string", "name", "entry of the plan, or the service it buys more of"),
        Field("neighbourhood", "string", "code", "as in the profile of the place"),
        Field("spend_gbp", "float64", "GBP", "spent in the real place: not to be scaled"),
        Field("enrolled", "int64", "adults", "began to take part in the sample"),
        Field("completed", "int64", "adults", "took part to the end"),
        Field("dropped", "int64", "adults", "dropped out before"),
        Field("supporters", "int64", "adults", "supporting it at the end of the year"),
        Field(
            "mean_fit",
            "float64",
            "share",
            "usable part of the money spent on places to meet; none (NaN) where there was none",
        ),
    ),
    "ledger": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("payer", "string", "agency", "who paid"),
        Field("beneficiary", "string", "agency", "on whose service it was spent, or who runs the programme"),
        Field(
            "kind",
            "string",
            "word",
            "service, care (years in a stock), programme (an entry of the plan) or usual (what keeps up places to meet beside any plan)",
        ),
        Field("item", "string", "name", "service, stock, entry of the plan or social_infrastructure"),
        Field(
            "quintile",
            "int8",
            "0-5",
            "deprivation quintile of those it was spent on; 0 where it is nobody's, as a plan's money is, and contacts that a plan has paid for already, which are taken off",
        ),
        Field(
            "amount_gbp",
            "float64",
            "GBP",
            "paid in the real place, at 2024/25 prices, in whole pence: not to be scaled",
        ),
        Field("cashable", "float64", "share", "of a saving on it that is cash"),
    ),
    "budgets": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("agency", "string", "agency", "whose budget it is"),
        Field(
            "envelope_gbp",
            "float64",
            "GBP",
            "what it has for the services of the model that it pays, and for prevention; pounds of the real place, as all here",
        ),
        Field("bill_gbp", "float64", "GBP", "what it was billed for services and care, at full cost"),
        Field(
            "frozen_bill_gbp",
            "float64",
            "GBP",
            "the same at the first year's demand; prices, and demand from outside, grow",
        ),
        Field(
            "cash_bill_gbp",
            "float64",
            "GBP",
            "what it paid in cash: the frozen bill less what use below it sets free in whole steps of capacity",
        ),
        Field("planned_gbp", "float64", "GBP", "planned for prevention, usual spending on places to meet among it"),
        Field("prevention_gbp", "float64", "GBP", "paid for prevention"),
        Field(
            "frozen_prevention_gbp",
            "float64",
            "GBP",
            "what would have been paid at the frozen bill: the difference is the feedback's own part",
        ),
        Field("reserves_gbp", "float64", "GBP", "at the end of the year, a deficit below 0"),
        Field("released_gbp", "float64", "GBP", "left over and gone to other uses"),
        Field("unfunded_gbp", "float64", "GBP", "lacking, and covered from outside"),
    ),
}
"""What every campaign leaves."""

WHERE_KEPT: Mapping[str, tuple[Field, ...]] = {
    "lives": (
        RUN,
        Field("year", "int32", "year", "1 is the first after burn-in"),
        Field("resident", "int64", "id", "who this is, for life, and in every run with this seed"),
        Field("quintile", "int8", "1-5", "deprivation quintile, 1 most deprived"),
        Field(
            "band",
            "int8",
            "code",
            "wellbeing state, 0 thriving to 3 in crisis, at the end of the year, or when they died; -1 under 16",
        ),
        Field("entry", "int8", "number", "entry of the plan in which they take part then, from 1; 0 is none"),
        Field(
            "began",
            "int8",
            "number",
            "entry of the plan in which they began to take part 6 to 18 months before the end of the year; 0 is none",
        ),
        Field(
            "alive",
            "bool",
            "true or false",
            "whether they live in the place at the end of the year; false where they died in it, there. Whoever moves away has no row",
        ),
    ),
}
"""What a campaign leaves that compares, where it is not too large, or that is asked for it."""

ON_REQUEST: Mapping[str, tuple[Field, ...]] = {
    "appraisal": (
        RUN,
        Field("comparator", "int32", "number", "the run with the same seed it is compared with"),
        Field("measure", "string", "name", "what is measured; docs/appraisal.md tells each"),
        Field("agency", "string", "agency", "whose it is; all for the whole place"),
        Field("quintile", "int8", "0-5", "deprivation quintile, 1 most deprived; 0 for everybody"),
        Field("item", "string", "name", "entry of the plan or service, where it is that of one; else empty"),
        Field("value", "float64", "see unit", "present value where it is money; none (NaN) where there is none"),
        Field("unit", "string", "unit", "GBP, WELLBY, person-years, people, points, ratio, year or a year"),
    ),
}
"""What commands make of them later."""


def add_field(table: str, field: Field) -> None:
    """Give a table a column of one's own, in this process.

    Raises
    ------
    InputError
        When the table has a column of that name.
    """
    if field.name in [one.name for one in TABLES[table]]:
        raise InputError("the table has a column of this name", key=table, value=field.name, allowed="another name")
    TABLES[table] = (*TABLES[table], field)


def schema_of(table: str) -> pa.Schema:
    """Return the Arrow schema of a table; each field carries its unit and meaning."""
    return pa.schema(
        pa.field(one.name, one.type, metadata={"unit": one.unit, "meaning": one.meaning})
        for one in {**TABLES, **WHERE_KEPT, **ON_REQUEST}[table]
    )


def frame_of(table: str, rows: Rows) -> pa.Table:
    """Make an Arrow table of rows, in the columns and types declared.

    Raises
    ------
    KeyError
        When a declared column is missing from the rows.
    """
    schema = schema_of(table)
    return pa.table({name: rows[name] for name in schema.names}, schema=schema)
