"""Nothing moves by accident: digests of small simulations are those of the list."""

import json

import pytest

from tests.golden import CASES, FILE, digest, made_on

GOLDEN = json.loads(FILE.read_text(encoding="utf-8"))


def test_every_case_is_on_the_list():
    assert list(GOLDEN["digests"]) == list(CASES)


@pytest.mark.parametrize("case", CASES)
def test_the_digest_is_the_one_on_the_list(case):
    if GOLDEN["made_on"] != made_on():
        pytest.skip("the list of digests was made with another processor or numpy")

    assert digest(case) == GOLDEN["digests"][case], (
        "if results were meant to move: python -m tests.golden, and CHANGELOG"
    )
