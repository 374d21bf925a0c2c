"""What became of budgets, in words: what is cut is told, and loop gain is what the table says."""

import io
from typing import ClassVar

import pandas as pd
import pytest
from rich.console import Console

from model.analysis.budgets import cuts, loop_gain
from model.campaign.campaign import run_campaign
from model.reporting.figures.budgets import draw_budgets
from model.reporting.findings import findings

SQUEEZED = {"envelopes": {"council": [-0.2], "all": 0.0}}


def words_of(results):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(findings(results))
    return " ".join(console.export_text().split())


class Tables:
    """Results of two runs of one agency over two years."""

    manifest: ClassVar = {"scenarios": {"ours": {"parameters_in_force": {"reinvestment_share": 0.5}}}}
    draws = pd.DataFrame({"draw": []})
    budgets = pd.DataFrame(
        [
            (0, 1, 10.0, 8.0, 10.0, 100.0, 90.0),
            (0, 2, 10.0, 12.0, 8.0, 100.0, 110.0),
            (1, 1, 10.0, 0.0, 0.0, 100.0, 50.0),
        ],
        columns=[
            "run",
            "year",
            "planned_gbp",
            "prevention_gbp",
            "frozen_prevention_gbp",
            "frozen_bill_gbp",
            "cash_bill_gbp",
        ],
    ).assign(agency="council", scenario="ours", draw=0, unfunded_gbp=1.0, bill_gbp=100.0)

    @staticmethod
    def values_of(draw):
        return {}


def test_what_is_cut_in_one_year_is_not_made_good_by_what_is_added_in_another():
    sums = cuts(Tables, "ours").loc["council"]
    assert sums.loc[0, ["planned", "paid", "cut", "added", "feedback", "unfunded"]].tolist() == [
        20.0,
        20.0,
        2.0,
        2.0,
        2.0,
        2.0,
    ]
    assert sums.loc[1, "cut"] == 10.0


def test_loop_gain_is_cash_that_comes_back_for_each_pound_paid():
    # One agency pays all: half of (100 - 90 + 100 - 110) over 20; where nothing is paid there is none.
    gain = loop_gain(Tables, "ours")
    assert gain[0] == 0.0
    assert pd.isna(gain[1])


def test_only_what_falls_to_those_who_pay_counts():
    two = Tables.budgets[Tables.budgets["run"] == 0]
    other = two.assign(agency="nhs", prevention_gbp=0.0, cash_bill_gbp=0.0)
    three = two.assign(agency="police", cash_bill_gbp=0.0)  # pays as much, and saves 200

    class Both(Tables):
        budgets = pd.concat([two, other])

    class Three(Tables):
        budgets = pd.concat([two, other, three])

    assert loop_gain(Both, "ours")[0] == 0.0
    assert loop_gain(Three, "ours")[0] == pytest.approx(0.5 * (0.5 * 200) / 40)


@pytest.mark.slow
def test_cuts_are_said_and_so_is_loop_gain(town, tmp_path):
    update = {"years": 3, "replicates": 2, "budgets": {"regime": "siloed"}, "growth": SQUEEZED}
    results = run_campaign([town.model_copy(update=update)], tmp_path / "out").results
    words = words_of(results)

    assert [path.name for path in draw_budgets(results)] == [f"budgets_{town.name}.png"]
    assert "is paid under siloed budgets" in words
    assert "of the plan is cut" in words
    assert "Budgets, £m" in words
    assert "more chance than any real place has" in words  # 1,000 represent 40,000
    assert "Of each £1 of prevention, so much returned to prevention budgets" in words


def test_of_a_plan_that_is_spent_as_planned_nothing_is_said_of_budgets(town, tmp_path):
    words = words_of(run_campaign([town.model_copy(update={"years": 1})], tmp_path / "out").results)

    assert "Budgets, £m" not in words
    assert "returned to prevention budgets" not in words
