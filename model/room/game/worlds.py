"""The worlds under the game: a place simulated without the plan and at each dose of it, several times."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from model.analysis.appraisal import Appraisal
from model.analysis.appraise import appraise
from model.analysis.results import Results
from model.core.arrays import Array
from model.core.errors import ResultsError
from model.inputs.places import load_place
from model.inputs.scenario import load_scenario
from model.room.draft import Draft, Plan, shipped_plan, write_files
from model.room.engine import BASE_COMMAND, FIRST_LOOK
from model.room.game.rules import PLAYERS, Board
from model.room.shelf import RESULTS
from model.tables.schema import BILLED

PLAN = "people_powered_shift"

DOSES = (1, 2)
"""Multiples of the plan's money a head that are simulated."""


@dataclass(frozen=True)
class Size:
    """How much is simulated for a board.

    Attributes
    ----------
    place : str
        A small council area, as in the lesson.
    residents, years, pairs : int
        Simulated residents, years for which the plan is kept up, and worlds at each dose.
    """

    place: str = "rutland"
    residents: int = 20_000
    years: int = 10
    pairs: int = 12


def simulated(size: Size = Size()) -> Board:
    """Simulate a board: the command line does the work, in a process of its own.

    Raises
    ------
    ResultsError
        When the run ended without results; with its words.
    """
    with TemporaryDirectory(prefix="upstream_game_") as kept:
        folder = Path(kept)
        write_files(_draft(size), folder)
        command = [*BASE_COMMAND, *FIRST_LOOK, "--replicates", str(size.pairs)]
        ended = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
        if ended.returncode:
            said = ended.stderr.strip().splitlines() or ["ended without saying why"]
            raise ResultsError(said[-1].removeprefix("upstream: "), key="the game's worlds")
        return board_of(Results(folder / RESULTS), size)


def price_gbp(place: str) -> float:
    """Return what the plan costs a year in a place, at as much money a head as where it comes from.

    Examples
    --------
    >>> round(price_gbp("rutland"), -4)
    1210000.0
    """
    return _gbp_per_head() * load_place(place).population


def _gbp_per_head() -> float:
    config = load_scenario(PLAN)
    return sum(map(config.budget_gbp_per_year, config.plan)) / config.place_profile.population


def _draft(size: Size) -> Draft:
    plans = tuple(plan_times(dose) for dose in DOSES)
    return Draft(place=size.place, years=size.years, residents=size.residents, draws=0, plans=plans)


def plan_times(dose: float) -> Plan:
    """Return the plan with so many times its money a head."""
    config = load_scenario(PLAN)
    people = config.place_profile.population
    bought = [
        one.model_copy(
            update={
                "budget_gbp_per_year": None,
                "budget_gbp_per_head_per_year": dose * config.budget_gbp_per_year(one) / people,
            }
        )
        for one in config.plan
    ]
    return shipped_plan(PLAN).model_copy(update={"title": f"{dose} times", "bought": tuple(bought)})


def board_of(results: Results, size: Size) -> Board:
    """Read the board from results: a year's money brings its share of what the whole course brought."""
    worth = [one.appraisal for one in appraise(results)]
    price = price_gbp(size.place)
    shares = [dose * price / one.total_cost.sum() for dose, one in zip(DOSES, worth, strict=True)]
    saved = [share * _by_player(one) for share, one in zip(shares, worth, strict=True)]
    wellbys = [share * one.wellbys.sum() for share, one in zip(shares, worth, strict=True)]
    crisis = [share * one.discounted_crisis.sum() for share, one in zip(shares, worth, strict=True)]
    return Board(
        place=load_place(size.place).name,
        residents=size.residents,
        n_years=size.years,
        price_gbp=price,
        doses=np.array([0.0, *DOSES]),
        saved_gbp=_from_nothing([one.to_numpy().T for one in saved]),
        wellbys=_from_nothing([one.to_numpy() for one in wellbys]),
        crisis=_from_nothing([one.to_numpy() for one in crisis]),
        bills_gbp=_bills(results, worth[0]),
        wellby_gbp=worth[0].settings.wellby_gbp["central"],
    )


def _by_player(one: Appraisal) -> pd.DataFrame:
    return one.pockets()["full_cost"].reindex(list(PLAYERS), fill_value=0.0)


def _from_nothing(of_doses: list[Array]) -> Array:
    return np.stack([np.zeros_like(of_doses[0]), *of_doses], axis=-1)


def _bills(results: Results, one: Appraisal) -> Array:
    """Return the bills of the worlds without the plan, by world, year and player."""
    ledger = results.ledger
    billed = ledger[ledger["kind"].isin(BILLED) & ledger["run"].isin(one.pairs["run_theirs"])]
    by_world = billed.pivot_table(
        index=["run", "year"], columns="payer", values="amount_gbp", aggfunc="sum", fill_value=0.0
    )
    by_world = by_world.reindex(columns=list(PLAYERS), fill_value=0.0)
    return by_world.to_numpy().reshape(len(one.pairs), -1, len(PLAYERS))
