"""English local authorities to which nothing was fitted, predicted from their ages and deprivation alone."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import pandas as pd

from model.analysis.agreement import best_left_out, root_mean_square
from model.analysis.estimates import quantile_of_t
from model.core.arrays import Array
from model.core.codes import LOOKED_AFTER, NO_CARE, NO_STATE
from model.core.constants import MONTHS_PER_YEAR
from model.inputs.authorities import AGES, DEPRIVATION, HELD_OUT, PEOPLE
from model.inputs.catalogue import load_services
from model.inputs.place_builder import build_place, write_profile
from model.inputs.places import load_place
from model.rules.childrens_care import care_rates, expected_care
from model.simulation.community import CommunityModel
from model.studies.calibration import england
from model.studies.pools import pool

Figures = dict[str, float]
Job = tuple[Path, int]

YEARS = 2
ENGLAND_RESIDENTS = 40_000
"""Residents of the small England to whose rates by age admissions are standardised."""
IN_STEPS = 48
"""Authorities compared in even steps of deprivation."""
PER_CENT = 100.0
PER_THOUSAND = 1_000.0
PER_TEN_THOUSAND = 10_000.0
QUARTERS = 4


@dataclass(frozen=True)
class Outcome:
    """What is predicted, and where the official file has what was published.

    ``by_upper_tier``: published for county councils, whose value the file repeats for their districts.
    ``is_relative``: published of something narrower or on another scale, so that only differences between
    authorities are predicted; the level is brought to that of the published figures.
    """

    name: str
    meaning: str
    column: str
    when: str
    unit: str
    digits: int
    by_upper_tier: bool = False
    is_relative: bool = False


OUTCOMES = (
    Outcome(
        "life_satisfaction", "mean life satisfaction", "ons4_satisfaction_mean_2022_23", "2022/23", "score, 0 to 10", 2
    ),
    Outcome(
        "lonely",
        "lonely often or some of the time",
        "loneliness_often_always_or_some_pct_2019_20",
        "2019/20",
        "% of adults",
        1,
    ),
    Outcome(
        "emergency_admission",
        "emergency admissions, standardised",
        "imd19_acute_morbidity_ratio",
        "Indices of Deprivation 2019",
        "ratio",
        0,
        is_relative=True,
    ),
    Outcome(
        "looked_after_child",
        "looked-after children",
        "utla_cla_per_10k_u18_2019",
        "31 March 2019",
        "per 10,000 children",
        0,
        by_upper_tier=True,
    ),
    Outcome(
        "child_in_need",
        "children in need",
        "utla_cin_per_10k_u18_2025",
        "31 March 2025",
        "per 10,000 children",
        0,
        by_upper_tier=True,
    ),
    Outcome(
        "homelessness_duty",
        "households assessed as homeless",
        "households_assessed_homeless_per_1000_2023q4",
        "October to December 2023",
        "per 1,000 households",
        2,
        is_relative=True,
    ),
)
EARLIER_SATISFACTION = "ons4_satisfaction_mean_2018_19"
COLUMNS = (*(one.column for one in OUTCOMES), EARLIER_SATISFACTION)


@dataclass(frozen=True)
class Predicted:
    """What was simulated of each authority, and the official file.

    Attributes
    ----------
    official : DataFrame
        From `read_authorities`.
    by_seed : sequence of DataFrame
        Simulated figures, one table a seed, by authority and name of the outcome. Simulated are those that are
        held out, and those of which every outcome is published.
    residents : int
        Simulated residents of each, or all where it has fewer.
    """

    official: pd.DataFrame
    by_seed: Sequence[pd.DataFrame]
    residents: int

    @cached_property
    def simulated(self) -> pd.DataFrame:
        """Means over seeds, in the units of the published figures."""
        means = pd.concat(self.by_seed).groupby(level=0, sort=False).mean()
        for one in OUTCOMES:
            if one.is_relative:
                means[one.name] *= self._level(one, means)
        return means

    @cached_property
    def known(self) -> pd.DataFrame:
        """The official rows of those simulated that are not held out: every outcome is published."""
        rows = self.official.loc[self.by_seed[0].index]
        return rows[rows[HELD_OUT] == 0]

    def _level(self, outcome: Outcome, means: pd.DataFrame) -> float:
        known = self.known
        people = known[PEOPLE].to_numpy(float)
        simulated = means.loc[known.index, outcome.name].to_numpy(float)
        return float(people @ known[outcome.column].to_numpy(float) / (people @ simulated))

    def comparable(self, outcome: Outcome) -> list[str]:
        """Return the authorities that can be compared: published for themselves, nothing held out."""
        known = self.known
        is_own = (known["utla24cd"] == known.index) | (not outcome.by_upper_tier)
        return [str(code) for code in known.index[is_own]]

    def in_steps(self, outcome: Outcome) -> list[str]:
        """Return those of `comparable` that lie in even steps of deprivation, the least deprived first."""
        ranked = self.official.loc[self.comparable(outcome), DEPRIVATION].sort_values(kind="stable").index
        steps = np.linspace(0, len(ranked) - 1, min(IN_STEPS, len(ranked)))
        return [str(ranked[k]) for k in steps.round().astype(np.int64)]

    def pairs(self, outcome: Outcome, codes: list[str]) -> tuple[Array, Array]:
        """Return the predicted and the published figures of some authorities."""
        return self.simulated.loc[codes, outcome.name].to_numpy(), self.official.loc[codes, outcome.column].to_numpy()

    def by_regression(self, outcome: Outcome, codes: list[str]) -> Array:
        """Predict each of some authorities by the best regression on deprivation, ages or both, left one out."""
        rows = self.official.loc[codes]
        candidates = ([DEPRIVATION], list(AGES), [DEPRIVATION, *AGES])
        return best_left_out((rows[names].to_numpy() for names in candidates), rows[outcome.column].to_numpy())

    def typical_error(self, outcome: Outcome) -> float:
        """Return the root mean square of published less predicted, over all that can be compared."""
        predicted, published = self.pairs(outcome, self.comparable(outcome))
        return root_mean_square(published - predicted)

    def held_out(self) -> pd.DataFrame:
        """Predict the held-out authorities, one row for each and each outcome.

        Returns
        -------
        DataFrame
            ``low`` and ``high`` are the ends of the 95 % interval for the figure that will be published: Student's
            t times the typical error where it is known.
        """
        rows = self.official[self.official[HELD_OUT] == 1]
        return pd.concat([self._forecast(one, rows) for one in OUTCOMES], ignore_index=True)

    def _forecast(self, outcome: Outcome, rows: pd.DataFrame) -> pd.DataFrame:
        n = len(self.comparable(outcome))
        half = quantile_of_t(n + 1) * self.typical_error(outcome) if n else np.nan
        predicted = self.simulated.loc[rows.index, outcome.name].to_numpy()
        is_own = (not outcome.by_upper_tier) | (rows["utla24cd"] == rows.index)
        return pd.DataFrame(
            {
                "lad24cd": rows.index,
                "lad24nm": rows["lad24nm"].to_numpy(),
                "outcome": outcome.name,
                "column": outcome.column,
                "unit": outcome.unit,
                "published_for": np.where(is_own, "authority", "county"),
                "predicted": predicted.round(outcome.digits + 1),
                "low": np.maximum(predicted - half, 0.0).round(outcome.digits + 1),
                "high": (predicted + half).round(outcome.digits + 1),
            }
        )


def predict_authorities(
    official: pd.DataFrame,
    areas: pd.DataFrame,
    seeds: Sequence[int],
    population: int,
    jobs: int,
    on_plan: Callable[[int], None] = lambda runs: None,
    on_run: Callable[[], None] = lambda: None,
) -> Predicted:
    """Simulate every authority that can be compared, or is held out.

    Parameters
    ----------
    official : DataFrame
        From `read_authorities`.
    areas : DataFrame
        From `read_small_areas`.
    seeds : sequence of int
        One run of each authority for each.
    population : int
        Residents in each sample; all of them where there are fewer.
    jobs : int
        Processes.
    on_plan, on_run : callable, optional
        Called with the number of runs, and after each run: progress.

    Raises
    ------
    PlaceError
        When an authority is not in the file of small areas.
    """
    is_known = official[[one.column for one in OUTCOMES]].notna().all(axis=1)
    chosen = official[is_known | (official[HELD_OUT] == 1)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{code}.toml" for code in chosen.index]
        for path in paths:
            write_profile(build_place(areas, path.stem), path)
        on_plan(len(paths) * len(seeds))
        found = _run_all([(path, seed) for seed in seeds for path in paths], seeds, population, jobs, on_run)
    n = len(paths)
    tables = [pd.DataFrame(found[k * n : (k + 1) * n], index=chosen.index) for k in range(len(seeds))]
    return Predicted(official, tables, population)


def _run_all(
    work: Sequence[Job], seeds: Sequence[int], population: int, jobs: int, on_run: Callable[[], None]
) -> list[Figures]:
    found = []
    with pool(jobs) as workers:
        parts = workers.map(admissions_of_england, seeds)
        asked, base = (pd.concat(columns).groupby(level=0).sum() for columns in zip(*parts, strict=True))
        for figures in workers.imap(partial(live_authority, population=population, rates=asked / base), work):
            found.append(figures)
            on_run()
    return found


def admissions_of_england(seed: int) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Simulate England in small; return emergency admissions and person-years by age band."""
    model = _simulated("england", ENGLAND_RESIDENTS, seed)
    return _admissions(model)


def live_authority(job: Job, population: int, rates: "pd.Series[float]") -> Figures:
    """Simulate an authority without change, and measure each outcome.

    Parameters
    ----------
    job : (Path, int)
        Its profile, and the seed.
    population : int
        Residents in the sample; all of them where there are fewer.
    rates : Series
        England's emergency admissions a head, by age band.
    """
    path, seed = job
    model = _simulated(str(path), min(population, load_place(path).population), seed)
    return {**_wellbeing(model), **_care(model), "emergency_admission": _standardised_ratio(_admissions(model), rates)}


def _simulated(place: str, population: int, seed: int) -> CommunityModel:
    update = {"name": Path(place).stem, "place": place, "services": list(load_services()), "years": YEARS}
    model = CommunityModel(england("full", population).model_copy(update=update), rng=seed)
    for _ in range(YEARS * MONTHS_PER_YEAR):
        model.step()
    return model


def _services(model: CommunityModel) -> pd.DataFrame:
    return pd.DataFrame(model.recorder.tables()["services"].to_pandas())


def _admissions(model: CommunityModel) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    table = _services(model)
    sums = table[table["service"] == "emergency_admission"].groupby("age_band")[["demand", "base_population"]].sum()
    return sums["demand"].astype(float), sums["base_population"].astype(float)


def _standardised_ratio(here: tuple["pd.Series[float]", "pd.Series[float]"], rates: "pd.Series[float]") -> float:
    """Return admissions as a ratio to those at England's rates by age (indirect standardisation)."""
    asked, base = here
    return float(asked.sum() / (base * rates).sum())


def _wellbeing(model: CommunityModel) -> Figures:
    months = model.recorder.tables()["monthly"].to_pandas()
    months = months[months["adults"] > 0]
    lonely = months[["lonely_often", "lonely_sometimes"]].to_numpy().sum()
    return {
        "life_satisfaction": float(np.average(months["life_satisfaction"], weights=months["adults"])),
        "lonely": PER_CENT * float(lonely) / float(months["adults"].sum()),
    }


def _care(model: CommunityModel) -> Figures:
    """Measure homelessness as it was counted, and children's care as it is to be expected.

    Some ten children of a sample are looked after at a time, so that a count would be chance for the most part.
    Children in need, as published, are all who have any care.
    """
    table = _services(model)
    duties = table[table["service"] == "homelessness_duty"]
    shares = PER_TEN_THOUSAND * _expected_care(model).mean(axis=0)
    return {
        "looked_after_child": float(shares[LOOKED_AFTER]),
        "child_in_need": float(shares[NO_CARE + 1 :].sum()),
        "homelessness_duty": PER_THOUSAND / QUARTERS * float(duties["demand"].sum() / duties["base_population"].sum()),
    }


def _expected_care(model: CommunityModel) -> Array:
    people, rates = model.population, care_rates(model.parameters)
    children = np.flatnonzero(people.state == NO_STATE)
    return expected_care(people, model.network, children, rates, model.calendar_month)
