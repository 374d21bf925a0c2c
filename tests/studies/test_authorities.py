"""Authorities predicted: figures by hand, what is compared with what, and the whole on invented places."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from model.analysis.agreement import correlation
from model.cli import main
from model.inputs.authorities import AGES, DEPRIVATION, HELD_OUT, PEOPLE, read_authorities
from model.inputs.place_builder import AGE_COLUMNS
from model.reporting.pages.places_predicted import places_predicted_page, write_held_out
from model.studies.authorities import COLUMNS, EARLIER_SATISFACTION, IN_STEPS, OUTCOMES, Predicted, _standardised_ratio

OFFICIAL = Path(__file__).parents[3] / "shared" / "places" / "places.csv"
BY_NAME = {one.name: one for one in OUTCOMES}
SATISFACTION, CARE, HOMELESS = (
    BY_NAME[name] for name in ("life_satisfaction", "looked_after_child", "homelessness_duty")
)


def invented(n: int = 100, districts: int = 30, held_out: int = 10, error: float = 0.0) -> Predicted:
    """Authorities whose published figures are what is simulated (twice that of homelessness), and an error."""
    rng = np.random.default_rng(11)
    codes = pd.Index([f"E{k:03d}" for k in range(n)], name="lad24cd")
    simulated = pd.DataFrame({one.name: rng.uniform(5.0, 8.0, n) for one in OUTCOMES}, index=codes)
    official = pd.DataFrame({column: rng.uniform(0.1, 0.2, n) for column in (DEPRIVATION, *AGES)}, index=codes)
    official["lad24nm"] = [f"Town {k}" for k in range(n)]
    official["utla24cd"] = ["C1" if k < districts else code for k, code in enumerate(codes)]
    official[PEOPLE] = 1_000.0
    official[HELD_OUT] = np.where(np.arange(n) >= n - held_out, 1, 0)
    for one in OUTCOMES:
        factor = 2.0 if one.name == HOMELESS.name else 1.0
        official[one.column] = factor * simulated[one.name] + error * rng.choice([-1.0, 1.0], n)
    official[EARLIER_SATISFACTION] = official[SATISFACTION.column] + rng.normal(0.0, 0.1, n)
    official.loc[official[HELD_OUT] == 1, list(COLUMNS)] = np.nan
    return Predicted(official, [simulated, simulated], 6_000)


# --- Figures ---------------------------------------------------------------------------------


def test_standardised_ratio_is_1_at_englands_rates_and_whatever_the_ages():
    rates = pd.Series({"0-15": 0.1, "75+": 0.5})
    for base in (pd.Series({"0-15": 100.0, "75+": 10.0}), pd.Series({"0-15": 10.0, "75+": 100.0})):
        assert _standardised_ratio((base * rates, base), rates) == pytest.approx(1.0)
        assert _standardised_ratio((1.5 * base * rates, base), rates) == pytest.approx(1.5)


def test_level_of_homelessness_is_that_of_the_published():
    found = invented()
    predicted, published = found.pairs(HOMELESS, found.comparable(HOMELESS))
    assert predicted == pytest.approx(published)


# --- What is compared with what --------------------------------------------------------------


def test_nothing_held_out_is_compared():
    found = invented()
    assert not (found.official.loc[found.comparable(SATISFACTION), HELD_OUT] == 1).any()


def test_children_are_compared_where_published_for_the_authority_itself():
    found = invented(n=100, districts=30, held_out=10)
    assert (len(found.comparable(SATISFACTION)), len(found.comparable(CARE))) == (90, 60)


def test_even_steps_take_both_ends_and_are_even_in_rank():
    found = invented()
    ranks = found.official.loc[found.comparable(SATISFACTION), DEPRIVATION].rank()
    chosen = ranks[found.in_steps(SATISFACTION)].to_numpy()

    assert (len(chosen), chosen[0], chosen[-1]) == (IN_STEPS, 1.0, 90.0)
    assert set(np.diff(chosen)) <= {1.0, 2.0}


def test_few_authorities_are_all_compared():
    assert len(invented(n=12, districts=0, held_out=2).in_steps(SATISFACTION)) == 10


# --- Held-out authorities --------------------------------------------------------------------


def test_interval_is_students_times_the_typical_error():
    found = invented(error=0.2)
    rows = found.held_out()
    one = rows[rows["outcome"] == SATISFACTION.name].iloc[0]
    # Of 90 errors of 0.2 each; the 97.5 % quantile of Student's t with 90 degrees of freedom is 1.9867.
    assert (one["high"] - one["predicted"]) == pytest.approx(1.9867 * 0.2, abs=0.001)
    assert one["published_for"] == "authority"


def test_every_held_out_authority_has_every_outcome_and_no_other_is_there(tmp_path):
    found = invented()
    write_held_out(found, tmp_path / "out.csv")
    rows = pd.read_csv(tmp_path / "out.csv")

    expected = {(code, one.name) for code in found.official.index[-10:] for one in OUTCOMES}
    assert set(zip(rows["lad24cd"], rows["outcome"], strict=True)) == expected
    assert len(rows) == len(expected) and rows.notna().all(axis=None)


# --- The page --------------------------------------------------------------------------------


def test_page_calls_a_perfect_prediction_a_hit_and_its_reverse_a_miss():
    found = invented(error=0.1)
    upside_down = found.simulated.assign(life_satisfaction=10.0 - found.simulated["life_satisfaction"])
    wrong = Predicted(found.official, [upside_down, upside_down], 6_000)

    assert "- **mean life satisfaction**: a hit in the order" in places_predicted_page(found)
    assert "- **mean life satisfaction**: a miss: authorities are ordered the wrong" in places_predicted_page(wrong)


def test_page_says_where_differences_are_exaggerated():
    found = invented(error=0.1)
    wide = found.simulated.assign(life_satisfaction=3.0 * found.simulated["life_satisfaction"])
    assert "differences, which are exaggerated" in places_predicted_page(Predicted(found.official, [wide, wide], 6_000))


def test_noise_prediction_is_no_hit():
    found = invented()
    rng = np.random.default_rng(12)
    noise = found.simulated.assign(life_satisfaction=rng.permutation(found.simulated["life_satisfaction"]))
    page = places_predicted_page(Predicted(found.official, [noise, noise], 6_000))
    assert "- **mean life satisfaction**: a miss: no clear relation" in page


def test_two_published_years_of_life_satisfaction_agree_as_the_review_found():
    if not OFFICIAL.exists():
        pytest.skip("the official figures of places are not beside this checkout")
    both = read_authorities(OFFICIAL, COLUMNS)[[EARLIER_SATISFACTION, SATISFACTION.column]].dropna()
    assert correlation(*both.to_numpy().T).mean == pytest.approx(0.23, abs=0.005)


# --- The whole -------------------------------------------------------------------------------

AREAS = f"lad24cd,lad24nm,msoa11cd,msoa11nm,imd19_decile,{','.join(AGE_COLUMNS.values())}\n" + "".join(
    f"{code},{name},{code}M{k},{name} {k},{decile},240,130,300,320,120,100\n"
    for code, name, decile in (("E1", "Abbots", 1), ("E2", "Barton", 10))
    for k in (1, 2)
)


def official_file(folder: Path) -> Path:
    rows = pd.DataFrame({"lad24cd": ["E1", "E2"], "lad24nm": ["Abbots", "Barton"], "utla24cd": ["E1", "C1"]})
    rows[[DEPRIVATION, PEOPLE, *AGES]] = [40.0, 2_420, *([0.16] * 5)]
    rows[HELD_OUT] = [0, 1]
    rows[list(COLUMNS)] = 7.5
    rows.loc[1, list(COLUMNS)] = np.nan
    rows.to_csv(folder / "places.csv", index=False)
    return folder / "places.csv"


def command(folder: Path, *more: str) -> int:
    (folder / "areas.csv").write_text(AREAS, encoding="utf-8")
    words = ["predicted", "--places", str(official_file(folder)), "--areas", str(folder / "areas.csv"), *more]
    with pytest.raises(SystemExit) as stopped:
        main(words)
    assert isinstance(stopped.value.code, int)
    return stopped.value.code


@pytest.mark.slow
def test_command_predicts_invented_places(tmp_path, capsys):
    assert command(tmp_path, "--csv", str(tmp_path / "out.csv"), "--population", "1000", "--jobs", "1") == 0

    assert "it predicts 1 English local authorities" in capsys.readouterr().out
    rows = pd.read_csv(tmp_path / "out.csv").set_index("outcome")
    assert set(rows["lad24nm"]) == {"Barton"}
    assert rows.loc["looked_after_child", "published_for"] == "county"
    assert rows.loc["life_satisfaction", "predicted"] == pytest.approx(7.5, abs=1.0)


def test_folder_that_is_not_there_is_said_before_anything_is_simulated(tmp_path, capsys):
    assert command(tmp_path, "--csv", str(tmp_path / "none" / "out.csv")) == 2
    assert capsys.readouterr().err.endswith("cannot be written. Allowed: a file in a folder that exists\n")
