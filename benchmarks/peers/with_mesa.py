"""The work with one Mesa object a resident: two stages, so that all look before any moves."""

import mesa
import work
from work import CONTENT, DISCONTENT, NEUTRAL, STATES

AWAY = {
    CONTENT: (NEUTRAL, DISCONTENT, work.chances_of_content()),
    DISCONTENT: (NEUTRAL, CONTENT, work.chances_of_discontent()),
}


class Resident(mesa.Agent):
    """One resident, who knows their contacts."""

    def __init__(self, model: "Community", state: int) -> None:
        super().__init__(model)
        self.state = self.next_state = state
        self.contacts: list[Resident] = []

    def look(self) -> None:
        """Choose the next state by what contacts feel now."""
        self.next_state = self.state
        first, second, (p_first, p_second) = AWAY.get(self.state) or self.ways_of_neutral()
        uniform = self.model.random.random()
        if uniform < p_first + p_second:
            self.next_state = first if uniform < p_first else second

    def ways_of_neutral(self) -> tuple[int, int, tuple[float, float]]:
        """Count the contacts who feel something, and look their chances up."""
        content = discontent = 0
        for one in self.contacts:
            if one.state == CONTENT:
                content += 1
            elif one.state == DISCONTENT:
                discontent += 1
        return CONTENT, DISCONTENT, self.model.chances[content][discontent]

    def act(self) -> None:
        """Take the state chosen."""
        self.state = self.next_state
        self.model.counts[self.state] += 1


class Community(mesa.Model):
    """Residents on a graph."""

    def __init__(self, states: list[int], edges: list[tuple[int, int]], seed: int) -> None:
        super().__init__(rng=seed)
        residents = list(Resident.create_agents(self, len(states), states))
        for one, other in edges:
            residents[one].contacts.append(residents[other])
            residents[other].contacts.append(residents[one])
        most = range(max(len(one.contacts) for one in residents) + 1)
        self.chances = [[tuple(map(float, work.chances_of_neutral(c, d))) for d in most] for c in most]
        self.counts = [0] * len(STATES)

    def step(self) -> None:
        """Live a month."""
        self.counts = [0] * len(STATES)
        self.agents.do("look")
        self.agents.do("act")


def main() -> None:
    """Do the work."""
    asked = work.asked()
    states = work.first_states(asked.residents, asked.seed).tolist()
    model = Community(states, work.edges_of(asked.residents, asked.seed).tolist(), asked.seed)

    def live() -> list[list[int]]:
        counts = []
        for _ in range(asked.months):
            model.step()
            counts.append(model.counts)
        return counts

    work.tell(f"Mesa {mesa.__version__}, an object a resident", live)


if __name__ == "__main__":
    main()
