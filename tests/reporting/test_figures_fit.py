"""Every word of a figure is on the page, and no legend lies on data; at three lengths of names and 1, 2 and 5 plans."""

import io

import numpy as np
import pytest

from model import Results, plots
from model.campaign.campaign import run_campaign
from model.core.errors import ResultsError
from model.inputs.scenario import Scenario
from model.reporting.figures.style import scale_nothing, svg_of
from tests.drawn_study import PLAN

SLACK_POINTS = 1.5
"""Letters may reach so far beyond the box that fonts claim for them: an antialiased edge, and a pixel of rounding."""

PLACES = ("Ely", "Bournemouth, Christchurch and Poole", "The Royal Borough of $x^2$ " + "and long names " * 6)


@pytest.fixture(scope="module")
def studies(town, tmp_path_factory):
    """A study for each number of plans, tiny: what is drawn does not matter, only where."""
    usual = town.model_copy(update={"name": "usual", "replicates": 2, "population": 600, "years": 2})
    made = {}
    for n in (1, 2, 5):
        plans = [
            Scenario.model_validate(
                usual.model_dump() | {"name": f"plan_{k}", "title": f"Plan number {k}", "plan": PLAN}
            )
            for k in range(n)
        ]
        folder = tmp_path_factory.mktemp("figures") / str(n)
        run_campaign(plans, folder, jobs=1, comparator=usual)
        made[n] = folder
    return made


def named(folder, place):
    """The study with another name of its place."""
    results = Results(folder)
    scenarios = {name: {**facts, "place_name": place} for name, facts in results.manifest["scenarios"].items()}
    results.manifest = {**results.manifest, "scenarios": scenarios}
    return results


def figures_of(results):
    plans = list(results.manifest["comparators"])
    yield plots.overview(results, plans[0])
    yield plots.differences(results, plans[0])
    yield plots.appraisal(results, plans[0])
    yield plots.cost_effectiveness(results, plans[0])
    yield plots.doubt(results, plans[0])
    yield plots.brief(results)
    if len(plans) > 1:
        yield plots.league(results)


def beyond_the_page(figure):
    """Return by how many points what is drawn reaches beyond each side of a figure."""
    box = figure.get_tightbbox(figure.canvas.get_renderer())
    width, height = figure.get_size_inches()
    return 72 * np.array([-box.x0, -box.y0, box.x1 - width, box.y1 - height])


def data_under_legends(figure):
    """Return how many points of lines lie in the legend of their own panel."""
    renderer = figure.canvas.get_renderer()
    for axes in figure.axes:
        if legend := axes.get_legend():
            box = legend.get_window_extent(renderer)
            for line in (one for one in axes.get_lines() if len(one.get_xdata())):
                points = line.get_transform().transform(np.column_stack(line.get_data()).astype(float))
                points = points[np.isfinite(points).all(axis=1)]
                yield (
                    int(box.contains_points(points).sum())
                    if hasattr(box, "contains_points")
                    else sum(box.contains(*point) for point in points)
                )


def drawn(figure):
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - slow to load

    FigureCanvasAgg(figure).draw()
    return figure


@pytest.mark.slow
@pytest.mark.parametrize(("n_plans", "place"), [*zip((1, 2, 5), PLACES, strict=True), (1, PLACES[2])])
def test_words_are_on_the_page_and_legends_off_the_data(studies, n_plans, place):
    for figure in figures_of(named(studies[n_plans], place)):
        page = drawn(figure)
        assert (beyond_the_page(page) < SLACK_POINTS).all()
        assert sum(data_under_legends(page)) == 0


def test_a_plan_of_a_steady_budget_is_drawn_at_its_budget_every_year(studies):
    figure = plots.appraisal(Results(studies[1]), "plan_0")
    drawn = [(axes, line) for axes in figure.axes for line in axes.get_lines() if line.get_label() == "spent"]

    assert len(drawn) == 2  # beside what is saved at full cost, and in cash
    for axes, line in drawn:
        np.testing.assert_allclose(line.get_ydata(), PLAN[0]["budget_gbp_per_year"] / 1e6)
        assert axes.get_ylabel() == "£ million a year"
    assert "not discounted" in drawn[0][0].get_title(loc="left")


@pytest.mark.parametrize(("highest", "limits"), [(0.0, (-2.0, 2.0)), (1e-17, (-2.0, 2.0)), (7.0, None)])
def test_panels_of_one_scale_keep_it_where_one_of_them_shows_nothing(highest, limits):
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to load

    panels = Figure().subplots(2, 1, sharey=True)
    for panel, end in zip(panels, (highest, 0.0), strict=True):
        panel.plot([1.0, 2.0], [0.0, end])
    scale_nothing(*panels, along="y")

    if limits:
        assert panels[0].get_ylim() == panels[1].get_ylim() == limits
    assert panels[1].get_ylim()[1] >= highest


def test_a_name_with_signs_of_mathematics_is_drawn_as_it_is_written(studies):
    from matplotlib.text import Text  # noqa: PLC0415 - slow to load

    figure = plots.overview(named(studies[1], "a $\\frac{1}{2}$ b"), "plan_0")
    titles = [text for text in figure.findobj(Text) if "$" in text.get_text()]
    assert titles and not any(text.get_parse_math() for text in titles)


def test_a_sign_that_the_font_lacks_is_a_box_and_no_warning(studies, recwarn):
    to = io.BytesIO()
    svg_of(lambda: plots.overview(named(studies[1], "Ely \N{PARTY POPPER}"), "plan_0"), to)
    assert to.getvalue().startswith(b"<?xml")
    assert not [one for one in recwarn if "Glyph" in str(one.message)]


def test_people_in_care_stand_beside_what_their_care_costs_not_those_who_came(studies):
    from model.analysis.series import services_by_year  # noqa: PLC0415 - as it is read by figures

    results = Results(studies[1])
    by_year = services_by_year(results, "usual")
    rows = results.services[
        (results.services["scenario"] == "usual") & (results.services["service"] == "long_term_care")
    ]
    in_care = (rows["stock_months"] * rows["scale"] / 12).groupby([rows["run"], rows["year"]]).sum()

    np.testing.assert_allclose(by_year["used"].xs("long_term_care", level="service"), in_care)


def test_a_figure_that_a_study_has_not_is_refused_with_those_it_has(studies):
    results = Results(studies[1])
    with pytest.raises(ResultsError, match="Allowed: plan_0; did you mean 'plan_0'"):
        plots.appraisal(results, "plan_9")
    with pytest.raises(ResultsError, match="Allowed: none of this study"):
        plots.budgets(results, "plan_0")
