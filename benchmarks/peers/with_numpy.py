"""The work in plain NumPy and SciPy: contacts by a sparse matrix."""

import numpy as np
import scipy
import work
from scipy import sparse
from work import CONTENT, DISCONTENT, NEUTRAL, STATES, Array


def contacts_of(edges: Array, residents: int) -> sparse.csr_matrix:
    """Lay the graph out as a matrix, each tie both ways."""
    one, other = edges.T
    ties = np.ones(2 * len(edges), np.float32)
    return sparse.csr_matrix((ties, (np.r_[one, other], np.r_[other, one])), shape=(residents, residents))


def month(state: Array, contacts: sparse.csr_matrix, rng: np.random.Generator) -> Array:
    """Return everybody's next state."""
    moods = np.column_stack([state == CONTENT, state == DISCONTENT]).astype(np.float32)
    near_content, near_discontent = (contacts @ moods).T
    uniform, after = rng.random(state.size), state.copy()
    ways = (
        (NEUTRAL, (CONTENT, DISCONTENT), work.chances_of_neutral(near_content, near_discontent)),
        (CONTENT, (NEUTRAL, DISCONTENT), work.chances_of_content()),
        (DISCONTENT, (NEUTRAL, CONTENT), work.chances_of_discontent()),
    )
    for before, (first, second), (p_first, p_second) in ways:
        is_here = state == before
        after[is_here & (uniform < p_first + p_second)] = second
        after[is_here & (uniform < p_first)] = first
    return after


def main() -> None:
    """Do the work."""
    asked = work.asked()
    contacts = contacts_of(work.edges_of(asked.residents, asked.seed), asked.residents)
    rng = np.random.default_rng([asked.seed, 3])

    def live() -> list[Array]:
        state, counts = work.first_states(asked.residents, asked.seed), []
        for _ in range(asked.months):
            state = month(state, contacts, rng)
            counts.append(np.bincount(state, minlength=len(STATES)))
        return counts

    work.tell(f"NumPy {np.__version__} and SciPy {scipy.__version__}", live)


if __name__ == "__main__":
    main()
