"""The report says what the appraisal has, needs nothing else, and concludes nothing from a part of a study."""

import json
import re
import shutil
from copy import copy, deepcopy
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from model import Results
from model.analysis.appraise import appraise
from model.analysis.doubt import Doubted
from model.analysis.estimates import Estimate
from model.analysis.outcomes import drawn
from model.analysis.ties import EVERYWHERE, LEAST, MOST, ties_of_adults
from model.analysis.use import Use, uses
from model.cli import main
from model.core.errors import ResultsError
from model.inputs.ensemble import MEMBER
from model.inputs.programmes import Programme
from model.reporting.answer import NOT_PLAUSIBLE
from model.reporting.appraisal import implausible
from model.reporting.report import page as page_module
from model.reporting.report import pdf
from model.reporting.report.blocks import Grid
from model.reporting.report.brief import MOST_ENTRIES, _largest, _uses, brief_of, question_of
from model.reporting.report.facts import Hang, NoEffect, Poorest
from model.reporting.report.page import render, report, write_report
from model.reporting.report.sections import _assumptions, _neighbourhoods, _numbers
from model.reporting.report.words import SAME, reach
from tests.drawn_study import WELLBY, drawn_study

TITLE = '<b>Help & "care"</b> $x_1$ {{ 7 * 7 }}'
"""A title that is markup in HTML, in figures and in templates: it must be shown as it is."""


@pytest.fixture(scope="module")
def study(town, tmp_path_factory):
    return drawn_study(town.model_copy(update={"title": TITLE}), tmp_path_factory.mktemp("report") / "study", 3)


@pytest.fixture(scope="module")
def html(study):
    return report(study)


@pytest.fixture(scope="module")
def brief(study):
    judged = {one.comparison.scenario: one for one in appraise(study)}
    return brief_of(judged, drawn(study, judged))


class Reader(HTMLParser):
    """Collects what a page holds, and complains of tags that don't match."""

    EMPTY = frozenset({"meta", "img", "link", "br", "hr"})

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.words = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    def all_of(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


# --- What it needs, and who can read it ---------------------------------------------------------


def test_a_report_asks_for_no_other_file_or_machine_and_runs_nothing(html):
    read = Reader(html)

    assert not {"script", "link", "iframe", "object", "embed", "form"} & {tag for tag, _ in read.tags}
    assert all(attrs["src"].startswith("data:image/svg+xml;base64,") for attrs in read.all_of("img"))
    assert all(attrs["href"].startswith("#") for attrs in read.all_of("a"))
    assert not any(name.startswith("on") for _, attrs in read.tags for name in attrs)
    assert "url(" not in html and "@import" not in html


def test_a_report_is_readable_without_seeing_its_figures_and_by_keyboard(html):
    read = Reader(html)
    ids = [attrs["id"] for _, attrs in read.tags if "id" in attrs]

    assert read.all_of("html")[0]["lang"] == "en-GB"
    assert len(read.all_of("img")) > 4
    assert all(len(attrs["alt"]) > 30 for attrs in read.all_of("img"))
    assert len(ids) == len(set(ids))
    assert {attrs["href"].removeprefix("#") for attrs in read.all_of("a")} <= set(ids)
    assert len(read.all_of("h1")) == 1
    assert all("scope" in attrs for attrs in read.all_of("th"))


def contrast(one, other):
    """The contrast of two colours, by WCAG 2.2."""

    def luminance(colour):
        parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_letters_stand_out_from_their_ground():
    css = (resources.files("model.reporting.report") / "templates" / "report.css").read_text()
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", css))
    for name in ("ink", "quiet", "accent", "doubted"):
        assert contrast(colours[name], "#ffffff") >= 4.5
        assert contrast(colours[name], colours["wash"]) >= 4.5
    assert contrast("#7a2e00", "#ffffff") >= 4.5


def test_temporary_accommodation_has_a_line_of_its_own(html, brief):
    assert "Temporary accommodation" in Reader(html).text
    assert any("how the cost of temporary accommodation differs" in words for words in brief.unknown)


def test_the_scale_of_grades_ends_where_grades_do(html):
    most = Programme.model_json_schema()["properties"]["grade"]["maximum"]
    assert f"grade of evidence, 1 strong to {most} expert judgement" in Reader(html).text


def test_more_of_a_service_is_said_to_have_no_grade(study):
    other = copy(study)
    other.manifest = deepcopy(study.manifest)
    other.manifest["scenarios"]["helped"]["plan_in_force"][0]["grade"] = None
    (bought,) = [block for block in _assumptions(other) if isinstance(block, Grid)]
    assert bought.rows[0].cells[2] == "not graded"


def test_what_is_written_in_a_scenario_is_shown_as_it_is(html):
    assert TITLE in Reader(html).text
    assert "<b>" not in html
    assert "49" not in re.findall(r"<title>(.*?)</title>", html)[0]


def test_the_same_results_give_the_same_report(study, html):
    assert report(Results(study.folder)) == html


# --- What it says -------------------------------------------------------------------------------


def test_a_brief_has_the_figures_of_the_appraisal(study, brief):
    (one,) = appraise(study)
    (plan,) = brief.plans
    them = one.appraisal

    assert plan.measures["cost"].by_chance.mean == pytest.approx(them.cost.sum().mean())
    assert plan.measures["wellbys"].by_chance == them.gained()
    assert plan.measures["averted"].by_chance == them.averted()
    assert plan.measures["full_cost"].by_chance == them.gain_of("full_cost")
    assert sum(plan.pays.values()) == pytest.approx(them.cost.sum().mean())
    assert plan.n_draws == 3 and plan.n_seeds == 3


def test_a_year_of_payback_is_told_with_its_doubt(html, brief):
    (plan,) = brief.plans
    words, paid_back = Reader(html).text, {lens for lens, year in plan.paybacks.items() if np.isfinite(year)}

    assert paid_back
    for lens in paid_back:
        doubt = f", but {plan.unclear[lens]}" if plan.unclear[lens] else ""
        end = "." if lens == "social" else ";"
        assert f"gains overtake costs in year {plan.paybacks[lens]:.0f} on average{doubt}{end}" in words
    # Social value is what the verdict is on.
    assert (plan.verdict == "unclear") == bool(plan.unclear["social"])


def test_who_pays_and_saves_is_told_by_agency(html, brief):
    (plan,) = brief.plans
    words = Reader(html).text
    assert "Paid by " in words
    for agency in plan.pays:
        assert f"{agency} £" in words


def test_the_most_deprived_fifth_is_said_to_be_of_england_as_any_share_of_a_place_may_live_there(study, brief):
    gained = Doubted(Estimate.exact(9.0), Estimate.exact(9.0))
    poorest = Poorest("most deprived fifth", gained, 0.31)
    other = replace(brief, plans=(replace(brief.plans[0], poorest=poorest),))
    about = page_module._about(study, {}, other, [])
    text = Reader(render(about, other, [_picture()], [])).text
    where = f"where 31 % of the people of {about.place} live."
    assert re.search(rf"are gained in the most deprived fifth of England's small areas\b.*{re.escape(where)}", text)


@pytest.mark.parametrize(("low", "high", "verdict"), [(1.0, 3.0, "gain"), (-1.0, 3.0, "unclear"), (-3.0, -1.0, "loss")])
def test_a_verdict_is_that_of_the_wider_interval(brief, low, high, verdict):
    (plan,) = brief.plans
    certain = Estimate((low + high) / 2, low / 2 + high / 2 - 0.1, low / 2 + high / 2 + 0.1)
    both = Doubted(certain, Estimate((low + high) / 2, low, high))
    assert replace(plan, measures={**plan.measures, "social_net": both}).verdict == verdict


def test_without_draws_the_verdict_is_by_chance_and_the_doubt_is_said(study, brief):
    words = words_of(study, replace(brief.plans[0], n_draws=0), brief)
    assert "no uncertain number was drawn, so doubt is larger than shown" in words


def test_what_is_not_credible_is_said_with_the_answer_and_named(study, brief):
    told = "People who enrolled gained 3 points; more than 0.7 is not credible."
    words = words_of(study, replace(brief.plans[0], too_good=(told,)), brief)
    assert f"But {NOT_PLAUSIBLE}" in words
    assert told in words


def words_of(study, plan, brief):
    """The words of a brief of one plan, as it would be told."""
    own = replace(brief, plans=(plan,))
    return " ".join(Reader(render(page_module._about(study, {}, own, []), own, [_picture()], [])).text.split())


@pytest.mark.parametrize(("low", "is_clear"), [(1e6, True), (-1e6, False)])
def test_what_is_saved_is_called_unclear_where_its_wider_range_holds_nothing_saved(study, brief, low, is_clear):
    by_chance, with_all = Estimate(2e6, 1.5e6, 2.5e6), Estimate(2e6, low, 3e6)
    saved = Doubted(by_chance, with_all)
    plan = replace(brief.plans[0], saves={"NHS": saved}, measures={**brief.plans[0].measures, "full_cost": saved})
    words = words_of(study, plan, brief)

    assert ("£2.00m, not clear by chance alone: £1.50m to £2.50m" in words) == (not is_clear)
    assert ("Saved at full cost: NHS £2.00m, not clear (with all doubted" in words) == (not is_clear)


@pytest.mark.parametrize(
    ("mean", "told"),
    [
        (-80.0, "80 WELLBYs would be lost instead of 1,020 gained (by chance alone 50 to 110)"),
        (200.0, "200 WELLBYs would be left of 1,020 (by chance alone 170 to 230)"),
    ],
)
def test_what_is_lost_at_no_effect_is_not_left(study, brief, mean, told):
    gained = Doubted(Estimate(1_020.0, 900.0, 1_140.0), Estimate.exact(np.nan))
    without = NoEffect("peer support group", Estimate(mean, mean - 30.0, mean + 30.0), Estimate.exact(0.0))
    plan = replace(brief.plans[0], no_effect=without, measures={**brief.plans[0].measures, "wellbys": gained})

    assert f"If peer support group had no effect, {told}, at the same cost." in words_of(study, plan, brief)


def test_a_value_at_which_it_breaks_even_is_told_with_its_doubt(study, brief):
    plan = replace(brief.plans[0], break_even_gbp=3_600.0, wellby_gbp=17_000.0)
    told = "it breaks even with a WELLBY worth £3,600"

    assert f"{told}; £17,000 is used" in words_of(study, replace(plan, break_even_doubt=""), brief)
    in_doubt = replace(plan, break_even_doubt="the gain is not clear")
    assert f"{told}, but the gain is not clear; £17,000 is used" in words_of(study, in_doubt, brief)


def test_a_brief_doubts_a_gain_where_the_appraisal_does(study, brief):
    one = appraise(study)[0]
    said = [words for _, words in implausible(one)]
    assert [words.lower() for words in brief.plans[0].too_good] == [f"{words.lower()}." for words in said]


def _picture():
    return page_module.Picture("data:image/svg+xml;base64,", "nothing")


@pytest.mark.parametrize(
    ("found", "measure", "words"),
    [
        (Estimate(0.0, -37e6, 13e6), "full_cost", "£37.0m lost to £13.0m saved"),
        (Estimate(2.0, 2.0, 2.0), "cost", SAME),
        (Estimate(1e6, 999_999.0, 1_000_001.0), "cost", SAME),
        (Estimate(1.0, -np.inf, np.inf), "cash", "too few runs to tell"),
    ],
)
def test_a_range_is_said_in_words(found, measure, words):
    assert reach(found, measure) == words


def test_places_that_stood_empty_are_counted(study):
    (use,) = uses(study, "helped")
    rows = study.programmes[(study.programmes["draw"] == 0) & (study.programmes["scenario"] == "helped")]

    assert use.used_share == pytest.approx(rows["used_months"].sum() / rows["place_months"].sum())
    assert use.spent_gbp == pytest.approx(3 * 400_000)
    assert use.enrolled == pytest.approx((rows["enrolled"] * rows["scale"]).sum() / 3)
    assert uses(study, "usual") == []


def test_ties_are_means_over_adults_and_thirds_are_of_whole_neighbourhoods(study):
    found = ties_of_adults(study, "helped")
    rows = study.monthly
    rows = rows[(rows["scenario"] == "helped") & (rows["draw"] == 0) & (rows["month"] > 24)]

    for layer in ("ties_kin", "ties_local", "ties_peer"):
        assert found.loc[EVERYWHERE, layer] == pytest.approx(np.average(rows[layer], weights=rows["adults"]))
        assert found[layer].loc[[MOST, LEAST]].between(rows[layer].min(), rows[layer].max()).all()
    assert found.loc[EVERYWHERE, "no_tie"] == pytest.approx(rows["no_tie"].sum() / rows["adults"].sum())


def test_money_a_head_a_year_is_of_all_years_simulated_also_those_without_money(study):
    ended = copy(study)
    ended.programmes = study.programmes[study.programmes["year"] == 1]
    (table,) = [block for block in _neighbourhoods(ended) if isinstance(block, Grid)]
    spent = ended.programmes[ended.programmes["draw"] == 0].groupby("neighbourhood")["spend_gbp"].sum() / 3
    homes = study.neighbourhoods.set_index("neighbourhood")

    at = table.head.index("£ a head a year, over 3 years")
    told = {row.cells[0]: float(row.cells[at]) for row in table.rows}
    for number, home in homes.iterrows():
        assert told[home["neighbourhood_name"]] == pytest.approx(spent[number] / 3 / home["population"], abs=0.006)


def test_the_number_of_a_set_that_fits_is_not_counted_as_a_number_that_was_drawn(study):
    sets = study.draws[study.draws["name"] == WELLBY].assign(name=MEMBER, value=2.0)
    other = copy(study)
    other.draws = pd.concat([study.draws, sets])

    assert list(_numbers(other)) == list(_numbers(study))
    assert next(iter(_numbers(study))).text.startswith("Numbers drawn: 3; shown here: 3.")
    other.draws = study.draws[study.draws["name"] == WELLBY]
    assert next(iter(_numbers(other))).text.startswith("Numbers drawn: 1; shown here: 1.")


def test_a_service_bought_has_no_places_to_use_and_what_has_no_room_is_counted(study, brief):
    plan = brief.plans[0]
    service = Use("beds", 9e6, np.nan, 0.0, np.nan)
    groups = tuple(Use(f"group_{k}", k * 1e6, 10.0, 10.0, 0.5) for k in range(1, MOST_ENTRIES + 3))
    used = _uses([replace(plan, uses=(service, *groups))])

    assert [use for _, use in used] == list(groups)
    assert [use for _, use in _largest(used)] == list(groups[2:])
    about = page_module._about(study, {}, brief, [])
    for left_out, words in ((0, ""), (1, "Left out here: 1 smaller entry."), (2, "Left out here: 2 smaller entries.")):
        text = Reader(render(about, replace(brief, n_uses_left_out=left_out), [_picture()], [])).text
        assert words in text
        assert ("Left out here" in text) == bool(left_out)


def test_an_agency_that_loses_is_not_the_one_that_saves_most(brief):
    loses, saves = (Doubted(Estimate.exact(gbp), Estimate.exact(gbp)) for gbp in (-5e6, 2e6))
    assert replace(brief.plans[0], saves={"council": loses, "NHS": saves}).saves_most == "NHS"
    assert replace(brief.plans[0], saves={"council": loses}).saves_most == ""


def test_plans_that_ask_different_things_are_not_given_the_question_of_one(study):
    def asked(*questions):
        judged = {}
        for k, question in enumerate(questions):
            one = appraise(study)[0]
            compared = copy(one.comparison)
            compared.facts = {**one.comparison.facts, "question": question}
            judged[str(k)] = replace(one, comparison=compared)
        return question_of(judged, study)

    assert asked("Does it pay?", "Does it pay?").startswith("Does it pay?")
    assert asked("Does it pay?", "Who gains?").startswith("Which of 2 plans is worth most?")


def test_results_of_an_earlier_version_say_that_places_were_not_counted(study, brief):
    plan = replace(brief.plans[0], uses=(Use("hub", 1e6, np.nan, 500.0, np.nan),))
    older = replace(brief, plans=(plan,), uses=(("hub", plan.uses[0]),))
    about = page_module._about(study, {}, older, [])
    assert "hub £1.00m not counted 500" in Reader(render(about, older, [_picture()], [])).text


@pytest.mark.slow
@pytest.mark.skipif(pdf.find_browser() is None, reason="no Chromium, Chrome or Edge is here to print")
@pytest.mark.parametrize("n_plans", [1, 2, 4])
def test_a_brief_has_two_sides(study, brief, html, n_plans, tmp_path):
    hangs = (Hang("Peer support group, participants: what it does to improving (hazard ratio)", 0.4, "1.2"),) * 3
    full = replace(brief.plans[0], hangs_on=hangs)
    plans = tuple(replace(full, name=f"A plan with a longish name, number {k}") for k in range(n_plans))
    many = replace(brief, plans=plans, uses=brief.uses * (7 if n_plans > 1 else 3))
    about = page_module._about(study, {}, many, [])
    source = Reader(html).all_of("img")[0]["src"]
    pictures = [page_module.Picture(source, "A figure of the width and height that a brief has")] * 2
    page = tmp_path / "brief.html"
    page.write_text(render(about, many, pictures[: 2 if n_plans == 1 else 1], []), encoding="utf-8")
    printed = pdf.write_pdf(page, tmp_path / "brief.pdf").read_bytes()

    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 2


# --- Bad input ----------------------------------------------------------------------------------


def test_a_part_of_a_study_is_shown_and_nothing_concluded(study):
    part = Results(study.folder)
    part.manifest = {**part.manifest, "n_runs": 99, "status": "interrupted"}
    read = Reader(report(part))

    assert "of 99 runs finished" in read.text
    assert "No conclusion is drawn" in read.text
    assert "The answer" not in read.text
    assert "adults in crisis" in read.text


def test_nothing_is_reported_of_a_damaged_study(study, tmp_path):
    folder = tmp_path / "damaged"
    shutil.copytree(study.folder, folder)
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "n_runs": 99}))
    with pytest.raises(ResultsError, match="is damaged"):
        Results(folder)


@pytest.mark.parametrize("table", ["ledger", "people", "services"])
def test_a_damaged_table_is_named_and_no_report_written(table, study, tmp_path, capsys):
    folder = tmp_path / "damaged"
    shutil.copytree(study.folder, folder)
    path = folder / f"{table}.parquet"
    path.write_bytes(path.read_bytes()[:-1])

    for command in (["report", str(folder)], ["show", str(folder), "--quiet"]):
        with pytest.raises(SystemExit, match="2"):
            main(command)
        assert f"{table}.parquet: is damaged" in capsys.readouterr().err
    assert not (folder / "report.html").exists()


def test_a_study_that_compares_nothing_has_no_answer(town, tmp_path):
    from model.campaign.campaign import run_campaign  # noqa: PLC0415 - one test alone runs one

    alone = town.model_copy(update={"replicates": 1, "population": 800})
    run_campaign([alone], tmp_path / "alone", jobs=1)
    read = Reader(report(Results(tmp_path / "alone")))

    assert "Nothing was compared" in read.text
    assert "The answer" not in read.text


def test_one_pair_of_runs_without_draws_decides_nothing(town, tmp_path):
    words = Reader(report(drawn_study(town, tmp_path / "one", 0, replicates=1))).text

    assert "One pair of runs cannot say whether it is worth its cost, or pays for itself in money" in words
    assert "no interval: one pair of runs" in words
    assert "No range is given" in words and "Two ranges" not in words


def test_an_existing_report_is_replaced_only_when_asked(study, html, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "report", lambda results: html)
    path = tmp_path / "report.html"
    path.write_text("mine")
    with pytest.raises(ResultsError, match="is there already"):
        write_report(study, path)
    assert path.read_text() == "mine"
    assert write_report(study, path, force=True).read_text(encoding="utf-8") == html
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_results_gives_one_line_and_code_2(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["report", name])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.err.count("\n") == 1 and name in said.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "there", "browser", "said"),
    [
        ("page.pdf", (), "chromium", "page.pdf: is not the name of a page"),
        ("page.html", ("page.pdf",), "chromium", "page.pdf: is there already"),
        ("page.html", (), None, "--pdf: needs a browser that prints"),
    ],
)
def test_a_pdf_that_cannot_be_made_leaves_no_page_either(
    study, tmp_path, monkeypatch, capsys, out, there, browser, said
):
    for name in there:
        (tmp_path / name).write_text("mine")
    monkeypatch.setattr(pdf, "find_browser", lambda: browser)
    with pytest.raises(SystemExit, match="2"):
        main(["report", str(study.folder), "--out", str(tmp_path / out), "--pdf"])

    assert said in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == list(there)


def test_a_report_into_no_folder_is_refused_before_it_is_made(study, tmp_path, monkeypatch):
    monkeypatch.setattr(page_module, "report", lambda results: pytest.fail("was made"))
    with pytest.raises(ResultsError, match="a file in a folder that exists"):
        write_report(study, tmp_path / "nowhere" / "report.html")


def test_without_a_browser_a_pdf_is_refused_in_one_line(study, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    with pytest.raises(ResultsError, match="needs a browser that prints"):
        pdf.write_pdf(tmp_path / "a.html", tmp_path / "a.pdf")
