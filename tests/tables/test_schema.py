"""What the columns of result tables are called and mean."""

import keyword
import re
from collections import defaultdict

import pandas as pd
import pytest

from model.tables.schema import TABLES

FIELDS = [(table, field) for table, one in TABLES.items() for field in one.columns]


def test_a_name_has_one_meaning_and_one_unit_in_all_tables():
    senses = defaultdict(set)
    for _, field in FIELDS:
        senses[field.name].add((field.unit, field.meaning))

    assert {name: found for name, found in senses.items() if len(found) > 1} == {}


def test_every_column_has_a_unit_and_a_meaning():
    assert all(field.unit and field.meaning for _, field in FIELDS)


@pytest.mark.parametrize("name", sorted({field.name for _, field in FIELDS}))
def test_a_column_can_be_read_as_an_attribute_of_a_frame(name):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)
    assert not hasattr(pd.DataFrame, name)
    assert not keyword.iskeyword(name)


@pytest.mark.parametrize("name", sorted({field.name for _, field in FIELDS if "GBP" in field.unit}))
def test_money_ends_in_its_unit(name):
    assert name.endswith("_gbp")


@pytest.mark.parametrize("table", TABLES)
def test_keys_are_columns_and_the_run_comes_first(table):
    columns = [field.name for field in TABLES[table].columns]

    assert len(set(columns)) == len(columns)
    assert set(TABLES[table].key) <= set(columns)
