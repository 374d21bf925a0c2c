"""The work in Starsim, with its common random numbers: one draw a resident and month."""

import os

os.environ.setdefault("STARSIM_INSTALL_FONTS", "0")

from typing import Any

import numpy as np
import starsim as ss
import work
from work import CONTENT, DISCONTENT, NEUTRAL, Array


class Ties(ss.Network):
    """Ties that stay."""

    def step(self) -> None:
        """Leave the ties as they are."""

    def near(self, is_so: Array) -> Array:
        """Count the contacts of each resident of whom something is so."""
        one, other = self.edges.p1, self.edges.p2
        n = len(is_so)
        return np.bincount(one[is_so[other]], minlength=n) + np.bincount(other[is_so[one]], minlength=n)


class Wellbeing(ss.Module):
    """The three states, and the moves between them."""

    def __init__(self, first: Array, **kwargs: Any) -> None:
        super().__init__()
        self.update_pars(**kwargs)
        self.define_states(
            ss.BoolState("neutral", default=lambda n: first[:n] == NEUTRAL),
            ss.BoolState("content", default=lambda n: first[:n] == CONTENT),
            ss.BoolState("discontent", default=lambda n: first[:n] == DISCONTENT),
        )
        self.draw = ss.random()

    def step(self) -> None:
        """Live a month: everybody looks before anybody moves."""
        ties = self.sim.networks.ties
        uniform = self.draw.rvs(self.sim.people.auids)
        neutral, content, discontent = self.neutral.uids, self.content.uids, self.discontent.uids
        near = ties.near(self.content.raw)[neutral], ties.near(self.discontent.raw)[neutral]
        for uids, here, ways, chances in (
            (neutral, self.neutral, (self.content, self.discontent), work.chances_of_neutral(*near)),
            (content, self.content, (self.neutral, self.discontent), work.chances_of_content()),
            (discontent, self.discontent, (self.neutral, self.content), work.chances_of_discontent()),
        ):
            drawn, (p_first, p_second) = uniform[uids], chances
            first = uids[drawn < p_first]
            second = uids[(drawn >= p_first) & (drawn < p_first + p_second)]
            here[first], here[second] = False, False
            ways[0][first], ways[1][second] = True, True


def main() -> None:
    """Do the work."""
    asked = work.asked()
    edges = work.edges_of(asked.residents, asked.seed)
    first = work.first_states(asked.residents, asked.seed)
    sim = ss.Sim(
        n_agents=asked.residents,
        rand_seed=asked.seed,
        start=ss.years(0),
        dt=ss.months(1),
        dur=ss.months(asked.months - 1),
        use_aging=False,
        verbose=0,
        networks=Ties(name="ties", p1=edges[:, 0], p2=edges[:, 1], beta=np.ones(len(edges))),
        custom=Wellbeing(first, name="wellbeing"),
    )
    sim.init()

    def live() -> Array:
        sim.run()
        found = sim.results.wellbeing
        return np.column_stack([found.n_neutral, found.n_content, found.n_discontent])

    work.tell(f"Starsim {ss.__version__}, common random numbers", live)


if __name__ == "__main__":
    main()
