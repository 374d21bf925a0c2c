"""The doubt of an answer in words and figures: two intervals named apart, probabilities, what it hangs on."""

import io
import re

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from model.analysis.appraisal import LENSES
from model.analysis.appraise import appraise
from model.analysis.doubt import BEST, Doubted, doubted
from model.analysis.estimates import Estimate, estimate
from model.analysis.outcomes import MEASURES, Drawn, drawn
from model.reporting.appraisal import answer_lines, appraisal, doubt_of_payback, is_gain
from model.reporting.appraisal_tables import TABLES
from model.reporting.doubt import (
    WITH_ALL,
    Column,
    by_structure,
    count_by_group,
    doubted_line,
    fill,
    hangs_on,
    in_draws,
    what_is_doubted,
)
from model.reporting.figures.doubt import draw_doubts
from model.reporting.findings import figures, findings
from model.reporting.report.page import report
from model.reporting.wording import plain_table
from model.reporting.workbook.study import study_of
from model.reporting.workbook.workbook import sheets_of
from tests.drawn_study import drawn_study

FACTS = {"services_in_force": {"gp": {"label": "GP appointments"}}}


def made_up(n_draws: int, chance: float = 0.1, turn: float = 20.0) -> Drawn:
    """Outcomes that hang on a price alone, turning where it is £20: nothing was simulated."""
    rng = np.random.default_rng(1)
    index = pd.RangeIndex(1, n_draws + 1, name="draw")
    numbers = pd.DataFrame(rng.uniform(10.0, 50.0, (n_draws, 2)), index, ["unit_costs.gp", "cashable.gp"])
    worth = pd.concat([pd.Series({0: 10.0}), numbers["unit_costs.gp"] - turn])
    table = pd.DataFrame(worth.to_numpy()[:, None] + rng.normal(0.0, chance, 3), worth.index, [1, 2, 3])
    rows = table.rename_axis("draw").rename_axis("seed", axis=1).stack()
    paybacks = pd.DataFrame({lens: np.where(worth > 0, 3.0, np.nan) for lens in ("cash", "full_cost", "social")})
    return Drawn(
        pd.DataFrame(dict.fromkeys(MEASURES, rows)),
        paybacks.set_axis(worth.index).rename_axis("draw"),
        dict.fromkeys(MEASURES, 0.0),
        numbers,
        5,
    )


def text_of(lines):
    return "\n".join(f"{what}: {words}" for what, words in lines)


def test_what_moves_the_answer_is_named_with_its_share_and_where_it_turns():
    words = text_of(hangs_on(made_up(60), FACTS, {}))
    assert "unit cost of GP appointments: 100 % of the variance by rank" in words
    assert "more of it raises the answer; the answer turns at £20" in words
    assert "cashable" not in words
    assert "all numbers together explain 100 % by rank; chance between seeds leaves 100 % at most" in words


@pytest.mark.parametrize(
    ("turn", "told"),
    [(5.0, "; the answer turns at £5, which is outside what was drawn"), (-30.0, "raises the answer\n")],
)
def test_a_value_at_which_the_answer_turns_is_told_only_where_the_number_can_have_it(turn, told):
    words = text_of(hangs_on(made_up(60, turn=turn), FACTS, {}))
    assert told in words
    assert "-" not in words


def test_eight_draws_name_no_number_and_say_why():
    words = text_of(hangs_on(made_up(8), FACTS, {}))
    assert words.startswith("Hangs on: too few draws to tell which number matters: with 8 draws")
    assert "GP" not in words


def test_probabilities_are_counted_in_draws():
    found = made_up(60)
    worth = int((found.answers() > 0).sum())
    lines = text_of(in_draws(found)).splitlines()
    assert lines[1].startswith(f"In the draws run: social value is more than cost in {worth} of 60 draws (")
    paid_back = int(found.paybacks["cash"].drop(index=0).notna().sum())
    assert f"paid back by year 3 in {paid_back}, by year 5 in {paid_back} of 60 draws" in lines[2]
    assert lines[0].startswith("Worth its cost?: Social value is more than cost with a probability of ")


def test_what_the_intervals_hold_and_do_not_hold_is_said():
    words = text_of(what_is_doubted(made_up(8)))
    assert "By chance alone, over 3 seeds at best estimates" in words.replace("by chance", "By chance")
    assert "unit costs (1), cashable shares (1) drawn from their ranges; 8 draws" in words
    stays = "how long temporary accommodation lasts"
    of_the_model = f"numbers of the model in sets that fit England, {stays}, other numbers of the model"
    assert f"In neither: numbers of programmes, values set by guidance, {of_the_model}, the size of" in words


def test_of_one_pair_of_runs_it_is_said_that_chance_has_no_interval():
    found = made_up(8)
    one = Drawn(found.outcomes.xs(1, level="seed", drop_level=False), found.paybacks, found.events, found.numbers, 5)
    assert "By chance alone: none, for there is one pair of runs." in text_of(what_is_doubted(one))


def test_how_long_stays_last_is_no_other_number_of_the_model():
    assert count_by_group(["parameters.temporary_accommodation_ratio_london", "parameters.frailty_sd"]) == {
        "stays": 1,
        "parameters": 1,
    }


def test_draws_that_are_missing_are_counted():
    found = made_up(8)
    cut = Drawn(found.outcomes.drop(index=2), found.paybacks.drop(index=2), found.events, found.numbers, 5)
    assert "7 draws of 8; the others have no finished pair" in text_of(what_is_doubted(cut))


def test_an_outcome_that_no_draw_moves_has_no_second_interval():
    found = made_up(8)
    same = found.outcomes.assign(cost=5.0)
    fixed = Drawn(same, found.paybacks, found.events, found.numbers, 5)
    assert not list(doubted_line(fixed, "cost", str))
    assert list(doubted_line(fixed, "cash", str))


def test_answers_of_other_structures_stand_beside_that_of_the_plan():
    facts = {
        name: {"design": {"base": base}, "place": "town", "structure": {"variant": variant}}
        for name, base, variant in (("a", "hub", "full"), ("b", "hub", "no_buffer"), ("c", "work", "full"))
    }
    found = {"a": made_up(8), "b": made_up(8), "c": made_up(8)}
    lines = text_of(by_structure("a", facts, found)).splitlines()
    assert [line.split(":")[1].strip() for line in lines] == ["variant full", "variant no_buffer"]
    assert lines[0].startswith("Hangs on structure: ")
    assert "with all doubted" in lines[1]
    assert text_of(by_structure("c", facts, found)) == ""


def two_lines(with_all: Estimate) -> list[str]:
    table = plain_table("what", "amount")
    fill(table, ["hub"], [Column([Doubted(Estimate(1.0, 0.0, 2.0), with_all)], lambda one: one.text(0))])
    return list(table.columns[0].cells)


def test_an_interval_that_reads_the_same_is_not_repeated():
    assert two_lines(Estimate(1.0, -3.0, 5.0)) == ["hub", WITH_ALL]
    assert two_lines(Estimate(1.01, 0.01, 2.01)) == ["hub"]
    assert two_lines(Estimate.exact(np.nan)) == ["hub"]


# --- A whole study ---


@pytest.fixture(scope="module")
def study(town, tmp_path_factory):
    return drawn_study(town, tmp_path_factory.mktemp("doubt") / "out", 3)


def printed(results):
    page = io.StringIO()
    Console(file=page, width=160, highlight=False).print(findings(results))
    return page.getvalue()


@pytest.mark.slow
def test_the_answer_of_a_study_with_draws_has_both_intervals(study):
    words = printed(study)
    assert words.count("with all doubted") >= 3
    assert "In the draws run" in words
    assert "too few draws to tell which number matters" in words


@pytest.mark.slow
def test_one_draw_is_never_said_to_be_draws(town, tmp_path):
    results = drawn_study(town, tmp_path / "one", 1)
    (one,) = appraise(results)
    both = {"helped": drawn(results, {"helped": one})["helped"]}
    page = io.StringIO()
    Console(file=page, width=4_000, highlight=False).print(appraisal([one], both))
    svg = "".join(path.with_suffix(".svg").read_text() for path in figures(results))
    words = [
        page.getvalue(),
        svg,
        report(results),
        *(str(cell.value) for sheet in sheets_of(study_of(results)) for row in sheet.rows for cell in row),
    ]

    assert "1 draw " in page.getvalue()
    assert not [found for text in words for found in re.findall(r".{30}(?<!\d)1 draws.{9}", text)]


@pytest.mark.slow
def test_without_draws_the_answer_says_nothing_of_draws(town, tmp_path):
    plain = drawn_study(town, tmp_path / "plain", 0)
    words = printed(plain)
    assert "Cash saving" in words
    assert "all doubted" not in words
    assert "In the draws run" not in words
    assert "doubt.png" not in {path.name for path in figures(plain)}


@pytest.mark.slow
def test_the_figure_of_doubt_is_drawn_for_a_study_with_draws(study):
    assert "doubt.png" in {path.name for path in figures(study)}


@pytest.mark.slow
def test_the_tornado_draws_the_numbers_that_were_measured(study, tmp_path):
    (judged,) = appraise(study)
    (path,) = draw_doubts([judged], {"helped": made_up(60)}, tmp_path)
    drawing = path.with_suffix(".svg").read_text()
    assert "% of the variance, by rank" in drawing
    assert "with all doubted" in drawing


# --- Tables of an appraisal ---


@pytest.fixture(scope="module")
def judged(study):
    (one,) = appraise(study)
    return one, drawn(study, {"helped": one})["helped"]


@pytest.mark.slow
def test_a_switching_value_has_a_second_interval_where_the_gain_is_clear_with_all_doubted_and_nowhere_else(judged):
    one, found = judged
    lines = answer_lines(one, found)
    second = [lines[k + 1][1] for k, (_, words) in enumerate(lines) if words.startswith("social value: breaks even")]
    gain = found.row(lambda them: them.gains("social").sum(), one.appraisal.gain_of("social")).with_all
    blurred = found.row(lambda them: them.gains("social").sum() - 10 * gain.mean, one.appraisal.gain_of("social"))

    assert [("breaks even with" in words) == (gain.low > 0.0) for words in second] == [True]
    assert not is_gain(blurred.with_all)


class Clouded(Drawn):
    """Outcomes in draws of which none says whether there is a gain."""

    def row(self, of, by_chance):
        reach = 2.0 * abs(by_chance.mean) + 1.0
        return Doubted(by_chance, Estimate(by_chance.mean, by_chance.mean - reach, by_chance.mean + reach))


@pytest.mark.slow
def test_a_plan_pays_back_with_a_plain_yes_only_where_the_gain_is_clear_with_all_doubted(judged):
    one, found = judged
    clouded = Clouded(found.outcomes, found.paybacks, found.events, found.numbers, found.horizon, found.judged)
    as_drawn, in_doubt = (
        {words.split(":")[0]: words for _, words in answer_lines(one, each) if "pairs at the end" in words}
        for each in (found, clouded)
    )
    nets = {label: one.appraisal.net_of(lens) for lens, label in LENSES.items()}
    clear = {label for label, net in nets.items() if net.excludes_zero}

    assert clear
    assert not [words for words in in_doubt.values() if "yes" in words]
    assert {label for label, words in in_doubt.items() if "with all doubted that is not clear" in words} == clear
    for lens, label in LENSES.items():
        in_draws = is_gain(found.row(lambda them, lens=lens: them.net(lens).sum(), nets[label]).with_all)
        assert ("yes" in as_drawn[label]) == (is_gain(nets[label]) and in_draws)


class Pairs:
    """Three pairs of runs that gain £8 to £12, and cost the same in each."""

    gained = pd.Series([8.0, 12.0, 10.0])

    def __init__(self, cost_gbp):
        self.cost_gbp = cost_gbp

    def gain_of(self, lens):
        return estimate(self.gained)

    def net_of(self, lens):
        return estimate(self.gained - self.cost_gbp)


@pytest.mark.parametrize(("cost_gbp", "words"), [(1.0, ""), (9.0, "that is not clear"), (20.0, "")])
def test_whether_it_pays_back_is_plain_only_where_gains_clearly_exceed_costs_or_fall_short(cost_gbp, words):
    assert is_gain(Pairs(cost_gbp).gain_of("cash"))
    assert doubt_of_payback(made_up(0), Pairs(cost_gbp), "cash") == words


def rows_of(judged, heading: str) -> dict[str, list[str]]:
    """Return the cells of a table; those of a second line under its label and that of the line before."""
    table = next(table for make in TABLES if heading in (table := make(*judged)).columns[0].header)
    rows, last = {}, ""
    for label, *cells in zip(*(column.cells for column in table.columns), strict=True):
        last = last if label == WITH_ALL else label
        rows[last + label if label == WITH_ALL else label] = cells
    return rows


def numbers_in(cell: str) -> list[float]:
    return [float(number.replace(",", "")) for number in cell.split(" ± ")]


def reach(found: Estimate) -> list[float]:
    return [found.mean, max(found.high - found.mean, found.mean - found.low)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lens", "column", "measure"),
    [("cash", 0, "cash"), ("full cost", 0, "full_cost"), ("social value", 2, "social_net")],
)
def test_present_values_have_the_interval_of_their_measure(judged, lens, column, measure):
    cell = rows_of(judged, "Present value")[lens + WITH_ALL][column]
    expected = np.array(reach(judged[1].doubted[measure].with_all)) / 1e6
    np.testing.assert_allclose(numbers_in(cell), expected, atol=0.0051)


@pytest.mark.slow
def test_demand_avoided_and_volunteers_time_have_their_interval_by_chance_alone(judged):
    avoided, worth = rows_of(judged, "Avoided a year"), rows_of(judged, "Present value")
    cost = estimate(judged[0].appraisal.cost_in("social").sum())

    # Nobody waits in this town, so what is asked for is served.
    assert "±" in avoided["GP appointments"][0]
    for name in ("GP appointments", "A&E attendances"):
        assert avoided[name][0] == avoided[name][1].lstrip("+")
    np.testing.assert_allclose(numbers_in(worth["social value"][1]), np.array(reach(cost)) / 1e6, atol=0.0051)


@pytest.mark.slow
def test_a_lopsided_interval_is_said_to_be_told_by_its_longer_side(judged):
    one, found = judged
    page = io.StringIO()
    Console(file=page, width=160, highlight=False).print(appraisal([one], {one.comparison.scenario: found}))
    assert "Where an interval reaches further to one side, ± is that side." in " ".join(page.getvalue().split())
    assert Estimate(14.0, -61.0, 40.0).short(0) == "14 ± 75"


@pytest.mark.slow
def test_a_table_tells_what_each_draw_is_appraised_at(study, judged):
    by_draw = {draw: appraise(study, draw=draw)[0].appraisal for draw in range(4)}
    by_seed = pd.DataFrame({draw: them.saving["full_cost"].sum() for draw, them in by_draw.items()}).T
    cell = rows_of(judged, "Single-agency")["whole system, 3 years, full cost" + WITH_ALL][1]
    event = by_draw[BEST].event("full_cost")
    np.testing.assert_allclose(numbers_in(cell), np.array(reach(doubted(by_seed, event).with_all)) / 1e6, atol=0.0051)


@pytest.mark.slow
def test_agencies_and_fifths_add_up_to_the_whole_in_the_mean_over_draws(judged):
    whole = judged[1].doubted["full_cost"].with_all.mean / 1e6
    for heading, column in (("By agency", 2), ("By deprivation fifth", 0)):
        rows = rows_of(judged, heading)
        labels = [label for label in rows if not label.endswith(WITH_ALL)]
        cells = [rows.get(label + WITH_ALL, rows[label])[column] for label in labels]
        total = sum(numbers_in(cell)[0] for cell in cells if cell)
        assert total == pytest.approx(whole, abs=0.0051 * (len(labels) + 1))


@pytest.mark.slow
def test_a_study_without_draws_has_no_second_lines_in_its_tables(town, tmp_path):
    plain = drawn_study(town, tmp_path / "plain", 0)
    (one,) = appraise(plain)
    page = io.StringIO()
    Console(file=page, width=160, highlight=False).print(appraisal([one], drawn(plain, {"helped": one})))
    assert "Present value" in page.getvalue()
    assert "all doubted" not in page.getvalue()
