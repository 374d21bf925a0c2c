"""The overview of a scenario: everything in it can be read, and no panel is empty."""

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from model import load_scenario, run_campaign
from model.reporting.figures.overview import overview, spread

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def drawn(town, tmp_path_factory):
    """Return a function that runs a scenario and draws it."""

    def draw(**update):
        config = town.model_copy(update={"population": 300, "years": 2, "replicates": 2, **update})
        results = run_campaign([config], tmp_path_factory.mktemp("a") / "out").results
        figure = overview(results, config.name)
        figure.draw_without_rendering()
        return figure

    return draw


@pytest.fixture(scope="module")
def short(drawn):
    return drawn()


@pytest.fixture(scope="module")
def sisa(drawn):
    """A model in which nobody is ever in crisis, and no service exists."""
    return drawn(
        **dict(load_scenario("scenarios/teaching/sisa.toml")) | {"population": 500, "years": 3, "replicates": 2}
    )


def texts(figure):
    """Return labels, titles, and the names of services: the last panel's ticks where there are four."""
    found = [one for axes in figure.axes for one in [*axes.texts, axes.title]]
    return [*found, *figure.axes[3].get_yticklabels()] if len(figure.axes) == 4 else found


@pytest.mark.parametrize("name", ["short", "sisa"])
def test_every_text_lies_in_the_figure_and_no_two_labels_overlap(request, name):
    figure = request.getfixturevalue(name)
    edges = figure.bbox
    for axes in figure.axes:
        boxes = [one.get_window_extent() for one in axes.texts]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    for one in texts(figure):
        box = one.get_window_extent()
        assert edges.x0 <= box.x0 and box.x1 <= edges.x1, one.get_text()
        assert edges.y0 <= box.y0 and box.y1 <= edges.y1, one.get_text()


def test_states_of_a_few_years_have_whole_years_on_their_axis(short):
    for axes in short.axes[:2]:
        low, high = axes.get_xlim()
        ticks = [tick for tick in axes.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == round(tick) for tick in ticks)
    assert short.axes[1].get_xlim() == (1, 2)


def test_the_band_of_life_satisfaction_lies_in_its_panel(short):
    axes = short.axes[1]
    low, high = axes.get_ylim()
    (band,) = axes.collections
    heights = band.get_paths()[0].vertices[:, 1]

    assert low <= heights.min() < heights.max() <= high


def test_panels_without_anything_to_show_are_left_out(short, sisa):
    titles = [[axes.get_title("left") for axes in figure.axes] for figure in (short, sisa)]

    assert [len(one) for one in titles] == [4, 2]
    assert [text.get_text().split()[0] for text in sisa.axes[0].texts] == ["struggling", "coping", "thriving"]


def test_of_three_panels_the_last_is_as_wide_as_a_row(drawn):
    figure = drawn(services=[])
    widths = [axes.get_window_extent().width for axes in figure.axes]

    assert len(widths) == 3
    assert widths[2] > 1.8 * widths[1]


def test_one_replicate_has_no_intervals_and_says_so(drawn):
    figure = drawn(replicates=1, years=1)

    assert "One replicate, so no intervals" in figure.get_supxlabel()
    assert not figure.axes[1].collections
    assert not any(isinstance(one, ErrorbarContainer) for axes in figure.axes for one in axes.containers)


def test_labels_that_are_spread_keep_their_order_and_their_distance():
    heights = spread(np.array([0.0, 0.2, 50.0, 52.0]), 5.0)

    assert heights.tolist() == [0.0, 5.0, 50.0, 55.0]


def test_an_empty_file_is_no_figure_to_keep(tmp_path):
    from matplotlib.figure import Figure  # noqa: PLC0415

    from model.reporting.figures.style import save_figure  # noqa: PLC0415

    png = save_figure(Figure, tmp_path / "one")
    kept = save_figure(Figure, tmp_path / "one", since=0.0).stat().st_mtime_ns
    assert kept == png.stat().st_mtime_ns
    png.write_bytes(b"")
    assert save_figure(Figure, tmp_path / "one", since=0.0).stat().st_size > 0
