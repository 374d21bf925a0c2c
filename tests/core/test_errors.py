"""What an error says of the names that exist."""

from model.core.errors import InputError

TABLES = ["runs", "monthly", "people"]


def test_names_that_are_allowed_are_listed_once():
    error = InputError("unknown table", key="table", value="foo", allowed=", ".join(TABLES), known=TABLES, wanted="foo")

    assert str(error) == "table = 'foo': unknown table. Allowed: runs, monthly, people"


def test_names_are_listed_where_what_is_allowed_does_not():
    error = InputError("unknown table", key="table", value="foo", allowed="a table", known=TABLES, wanted="foo")

    assert str(error) == "table = 'foo': unknown table. Allowed: a table. Known: monthly, people, runs"
    assert "Known" not in str(InputError("unknown table", allowed="a table", known=[], wanted="foo"))


def test_the_nearest_name_is_suggested_beside_what_is_allowed():
    error = InputError("unknown table", allowed=", ".join(TABLES), known=TABLES, wanted="month")

    assert str(error) == "unknown table. Allowed: runs, monthly, people. Did you mean 'monthly'?"


def test_what_else_is_wrong_stands_last_and_a_long_list_is_cut():
    error = InputError("unknown key", key="yeers", known=["years"], wanted="yeers", also=["seed: is missing"])
    many = InputError("is missing", key="name", also=[f"key_{k}: is missing" for k in range(8)])

    assert str(error) == "yeers: unknown key. Did you mean 'years'? Also wrong: seed: is missing"
    assert str(many).endswith("key_4: is missing; and 3 more")
