"""A split of money in words: whether any is clearly better than the equal split, and the figure in both forms."""

from types import SimpleNamespace

import numpy as np
import pytest

from model.analysis.splits import EQUAL, OWN, Front
from model.reporting import splits as words
from model.reporting.figures.splits import draw_split
from tests.analysis.test_splits import N_DRAWS, NAMES, simulated

USUAL = np.random.default_rng(6).normal(50e6, 20e6, N_DRAWS)


class Foretold:
    """An emulator of which the objectives of any split are its first share, in million pounds, its second, and none."""

    held_out, spread, rule = 2e6, 1e6, np.zeros(3, int)
    shares = np.eye(3)

    def objectives(self, shares, rule):
        return np.column_stack([1e6 * shares[:, 0], 1e6 * shares[:, 1], 0.0 * rule])


def answer(worth, roles):
    """What was found about splits of these worths, the first of which is foretold to have the highest mean."""
    facts = {"place_name": "Sandbeck", "years": 5}
    told = {name: {**facts, "title": roles.get(name, "")} for name in worth}
    them = simulated(worth)
    one = words.SplitAnswer(them, SimpleNamespace(manifest={"scenarios": told}))
    front = Front(np.eye(3), np.zeros(3, int), Foretold().objectives(np.eye(3), np.zeros(3)))
    one.__dict__.update(them=them, emulator=Foretold(), front=front)
    return one


HIGHEST = {"A": "highest mean"}


@pytest.mark.parametrize(
    ("more", "roles", "told"),
    [
        (np.linspace(4e6, 6e6, N_DRAWS), HIGHEST, "Split A is clearly better than the equal split: worth £"),
        (np.linspace(-9e6, 9e6, N_DRAWS), HIGHEST, "No split is clearly better than the equal split: the best found"),
        (np.zeros(N_DRAWS), HIGHEST, "No split is clearly better than the equal split: the best found is worth £0"),
        (np.zeros(N_DRAWS), {EQUAL: "highest mean"}, "No split is clearly better than the equal split: it is itself"),
    ],
)
def test_a_split_is_called_better_only_where_it_clearly_is(more, roles, told):
    lines = dict(words._answer(answer({"A": USUAL + more, EQUAL: USUAL}, roles)))

    assert lines["Answer"].startswith(told)


def test_every_split_is_told_with_what_it_shares_out_and_a_useless_emulator_is_named():
    one = answer({"A": USUAL + 1e6, EQUAL: USUAL, OWN: USUAL}, HIGHEST)
    page = "\n".join(line for _, line in [*words._splits(one), *words._search(one)])

    assert all(label in page for label in ("Split A: highest mean", "Equal split", "The plan's own split"))
    assert "hub 60 %, peers 30 %, work 10 %" in page
    assert "it foretells nothing, so the front may be chance" in page
    assert one.title == "Of £1m a year, how should it be split over 3 programmes? Sandbeck, over 5 years"
    assert len(NAMES) == 3


def test_the_figure_is_written_in_both_forms(tmp_path):
    path = draw_split(answer({"A": USUAL + 1e6, EQUAL: USUAL}, HIGHEST), tmp_path)

    assert path == tmp_path / "split.png"
    assert (tmp_path / "split.svg").exists()
