"""Many residents who are alike, to whom a rule does what it does."""

import numpy as np

from model.core.codes import COPING, PARTICIPANT
from model.core.draws import Draws
from model.state.population import Population

DRAWS = Draws(7)
MANY = 20_000


def crowd(n=MANY, homes=1, state=COPING):
    people = Population([n // homes] * homes)
    people.resident[:] = np.arange(1, people.n_rows + 1)
    people.state[:] = state
    people.quintile[:] = 3
    people.birth_month[:] = -40 * 12
    return people


def taking_part(n=MANY, homes=1, months=12, role=PARTICIPANT):
    people = crowd(n, homes)
    people.programme[:] = 1
    people.engagement[:] = role
    people.programme_months[:] = months
    return people


def four_errors(share, n):
    return 4 * (share * (1 - share) / n) ** 0.5
