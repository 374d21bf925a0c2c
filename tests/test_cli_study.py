"""Studies on the command line: what would be run, and what is refused."""

from pathlib import Path

import pytest

from model.campaign.forecast import Forecast, forecast
from model.core.errors import ScenarioError
from model.inputs.study import Study
from model.inputs.study_options import DRAWS_UNASKED, asked_study
from model.reporting.forecast import forecast_words
from tests.test_cli import ends_with, only_line_of

HUBS = "plan.community_hub.budget_gbp_per_year"
HEADS = "plan.community_hub.budget_gbp_per_head_per_year"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("overrides", "sweeps", "variants"),
    [
        ({"structure.variant": ("--set structure.variant", "no_buffer")}, [], ("no_buffer",)),
        ({}, ["structure.variant=full,no_buffer"], ("full", "no_buffer")),
    ],
)
def test_a_variant_is_set_or_swept_as_any_key(
    overrides: dict[str, tuple[str, str]], sweeps: list[str], variants: tuple[str, ...]
) -> None:
    study = asked_study(["link_workers"], None, overrides, sweeps, draws=2)
    assert study is not None
    assert (study.variants, study.levers) == (variants, ())


def test_a_variant_that_is_wrong_or_asked_for_twice_is_told_by_its_option() -> None:
    wrong: list[tuple[str, list[str], str]] = [
        ("nobuffer", [], r"--set structure\.variant: variants\.0 = 'nobuffer'.*Did you mean 'no_buffer'"),
        ("full", ["structure.variant=full,no_buffer"], r"--sweep structure\.variant = 'full': is set twice"),
    ]
    for value, sweeps, told in wrong:
        with pytest.raises(ScenarioError, match=told):
            asked_study([], None, {"structure.variant": ("--set structure.variant", value)}, sweeps, draws=2)


def test_a_dry_run_says_what_a_study_takes_and_leaves_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ends_with(0, "run", "five_places", "--population", "200", "--dry-run", "--jobs", "1")

    said = capsys.readouterr().out.splitlines()
    assert said[0] == "25 scenarios, 50 runs, and 40 more with a programme at no effect."
    assert [line.split()[0] for line in said[1:]] == ["Time", "Memory", "Disk"]
    assert not list(here.iterdir())


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (1.0, "10 seconds"),
        (10.5, "20 seconds"),
        (110.0, "110 seconds"),
        (111.0, "2 minutes"),
        (119 * 60.0, "119 minutes"),
        (7_200.0, "2 hours"),
    ],
)
def test_time_is_told_in_the_unit_in_which_people_would(seconds: float, told: str) -> None:
    said = forecast_words(Forecast(1, 2, 2, 0, 1, seconds, 300.0, 1.0))

    assert f"Time    about {told} in 1 process" in said


def test_runs_are_foretold_as_they_would_be_lived() -> None:
    study = Study.model_validate(
        {
            "scenarios": ["people_powered_shift"],
            "comparator": "status_quo",
            "population": 200,
            "years": 5,
            "replicates": 2,
            "draws": 8,
            "uncertainties": ["programmes.community_hub"],
        }
    )
    found = forecast(study, jobs=1)

    assert (found.n_runs, found.n_lived) == (2 * (2 + 8), 2 + 8 + 2)  # no draw reaches the comparator
    tested = forecast(study, jobs=1, test=True)
    assert tested.n_tests == 2
    twice = {"replicates": ("--replicates", 4), "draw_replicates": ("study", 2)}
    more = forecast(study.with_options(twice), jobs=1)
    assert more.disk_mb == pytest.approx(2 * found.disk_mb)


def test_options_alone_make_a_study() -> None:
    study = asked_study([], None, {"years": ("--years", 2)}, [f"{HUBS}=1,2"], 3, ["wigan,newham", "blaby"])

    assert study is not None
    assert (study.scenarios, study.comparator) == (("people_powered_shift",), "status_quo")
    assert (study.places, study.draws, study.years) == (("wigan", "newham", "blaby"), 3, 2)
    assert asked_study(["status_quo"], None, {"years": ("--years", 2)}) is None


def test_only_a_comparison_of_a_size_draws_unasked_and_a_larger_one_says_how_to() -> None:
    """The same size up to which lives are kept and plans tested."""
    warned: list[str] = []
    sizes = {"years": ("--years", 30), "population": ("--population", 100_000)}
    small = asked_study([], None, sizes, doubted=True, warn=warned.append)
    assert small is not None
    assert (small.draws, warned) == (DRAWS_UNASKED, [])

    larger = {**sizes, "population": ("--population", 100_001)}
    assert asked_study([], None, larger, doubted=True, warn=warned.append) is None
    assert "3,000,030 resident-years" in warned[0]
    assert "--draws 8 draws them" in warned[0]
    asked = asked_study([], None, larger, draws=8, doubted=True, warn=warned.append)
    assert asked is not None
    assert (asked.draws, len(warned)) == (8, 1)


def test_a_study_goes_by_the_options_of_the_command() -> None:
    overrides = {"place": ("--place", "york"), "parameters.frailty_sd": ("--set parameters.frailty_sd", 0.5)}
    study = asked_study(["five_places"], "link_workers", overrides)

    assert study is not None
    assert (study.places, study.comparator, len(study.levers)) == (("york",), "link_workers", 7)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["five_places", "status_quo"], "five_places: is a study, and is run on its own"),
        (["five_places", "--years", "0"], "--years: years = 0: input should be greater than 0"),
        (["five_places", "--place", "york", "--places", "wigan"], "--place = 'york': is set twice"),
        (["five_places", "--sweep", f"{HEADS}=1"], f"levers.{HEADS}: is set twice"),
        (["--sweep", "x"], "--sweep = 'x': is no lever with values"),
        (["--sweep", "yeers=1,2"], "--sweep yeers: yeers = 1: unknown key. Did you mean 'years'?"),
        (["--draws", "0"], "--draws: draws = 0: input should be greater than or equal to 1"),
        (["--draws", "900000"], "--draws: "),
        (["--places", "wigan,wign"], "--places: place = 'wign': unknown place. Did you mean 'wigan'?"),
        (["--places", "all", "--replicates", "10000", "--no-doubt"], "--replicates: replicates: makes 2,960,000 runs"),
    ],
)
def test_what_makes_no_study_is_told_in_one_line(
    here: Path, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    ends_with(2, "run", *words)

    assert told in only_line_of(capsys.readouterr().err)
    assert not list(here.iterdir())
