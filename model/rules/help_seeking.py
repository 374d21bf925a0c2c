r"""Recognising need, and seeking help early.

People judge what is normal by those around them. An adult who is struggling or in crisis seeks
help at the rate

.. math:: h = h_s \; (1 - \nu b) \; (1 + \pi d_{peer}),

where :math:`b` is the share of their ties who are discontented too, and :math:`d_{peer}` their
ties to peers, who recognise what is not normal. So people seek help late where many struggle, and
earlier with peers. Help lasts for some months, in which the hazard of worsening is lower. It
begins with an appointment, so demand rises first.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from model.core.arrays import Array
from model.core.chunks import picked
from model.core.codes import LAYER_NAMES, STRUGGLING
from model.core.constants import MONTHS_PER_YEAR
from model.core.draws import Draws, Purpose, fill_words, to_unit
from model.core.kernels import formula, kernel
from model.inputs.parameters import Parameters
from model.network import Network
from model.state.population import Population
from model.state.queues import WAITS, Contacts

BEGINS_AT = "gp"
"""The service at whose contact help begins, where its capacity is limited."""
PEER = LAYER_NAMES.index("peer")
HELP = int(Purpose.HELP)


class Recognition(NamedTuple):
    """How readily help is sought: rates a year by state, and what ties do to them."""

    struggling: float
    in_crisis: float
    normality: float
    per_peer: float
    referred: float


class HelpSeekingRatio(NamedTuple):
    """How much sooner programmes make their participants seek help.

    ``group`` is each row's programme, 0 for none; ``ratio`` what multiplies the chance in each.
    """

    group: Array
    ratio: Array


AS_USUAL = HelpSeekingRatio(np.empty(0, np.uint8), np.empty(0))
"""Where no programme makes anybody seek help sooner."""


class Seekers(NamedTuple):
    """Rows of those who seek help this month, and of the contacts they make of it, by service."""

    rows: Array
    contacts: Mapping[str, Array]


def recognition_of(parameters: Parameters) -> Recognition:
    """Lay the parameters of help-seeking out, as the kernel reads them."""
    p = parameters
    return Recognition(
        p.help_seeking_struggling,
        p.help_seeking_in_crisis,
        p.recognition_normality,
        p.recognition_per_peer,
        p.help_referred_share,
    )


def contacts_expected(parameters: Parameters) -> dict[str, float]:
    """Return the contacts that seeking help makes in England, for 1,000 people a year."""
    p = parameters
    return {
        BEGINS_AT: p.help_sought_rate,
        "mental_health_referral": p.help_sought_rate * p.help_referred_share,
    }


@formula
def chance_of_seeking(state, ties, discontented, peers, recognition):
    """Chance within a month that somebody seeks help.

    Examples
    --------
    >>> usual = Recognition(1.2, 2.4, 0.5, 0.25, 0.3)
    >>> alone = chance_of_seeking(STRUGGLING, 0, 0, 0, usual)
    >>> among_strugglers = chance_of_seeking(STRUGGLING, 10, 10, 0, usual)
    >>> round(alone, 3), round(among_strugglers, 3)
    (0.1, 0.05)
    """
    rate = recognition.struggling if state == STRUGGLING else recognition.in_crisis
    share = discontented / ties if ties > 0 else 0.0
    readiness = (1.0 - recognition.normality * share) * (1.0 + recognition.per_peer * peers)
    return min(rate * readiness / MONTHS_PER_YEAR, 1.0)


@kernel
def _find_seekers(seed, month, columns, degrees, discontent, recognition, group, ratio):
    resident, state, help_months = columns
    could_seek, n = picked((state >= STRUGGLING) & (help_months == 0)), 0
    rows, is_referred = np.empty(could_seek.size + 1, np.int64), np.empty(could_seek.size + 1, np.bool_)
    words = np.empty((4, could_seek.size), np.uint32)
    fill_words(seed, HELP, month, resident[could_seek], words)
    for k in range(could_seek.size):
        i, uniform = could_seek[k], to_unit(words[0, k])
        sooner = ratio[group[i]] if ratio.size > 0 else 1.0
        # Ties that are discontented only ever put people off, and most need not be asked about theirs.
        most = chance_of_seeking(state[i], 0, 0, degrees[PEER, i], recognition)
        if uniform >= most * sooner:
            continue
        ties = discontented = 0
        for layer in range(degrees.shape[0]):
            ties += degrees[layer, i]
            discontented += discontent[layer, i]
        chance = chance_of_seeking(state[i], ties, discontented, degrees[PEER, i], recognition)
        if uniform < chance * sooner:
            rows[n], is_referred[n] = i, to_unit(words[1, k]) < recognition.referred
            n += 1
    return rows[:n].copy(), rows[:n][is_referred[:n]]


def seekers(
    people: Population,
    network: Network,
    recognition: Recognition,
    draws: Draws,
    month: int,
    found: HelpSeekingRatio | None = None,
) -> Seekers:
    """Find the adults who seek help this month; people who have help do not seek it again.

    All of them see a general practitioner, and a share is referred to mental health services.
    Programmes that find cases make their participants seek it sooner.
    """
    if recognition.struggling == recognition.in_crisis == 0.0:
        return Seekers(np.empty(0, np.int64), {})
    columns = people.resident, people.state, people.help_months
    ties = network.degrees, network.discontent
    seek, referred = _find_seekers(draws.seed, month, columns, *ties, recognition, *(found or AS_USUAL))
    return Seekers(seek, {BEGINS_AT: seek, "mental_health_referral": referred})


@kernel
def pass_month(help_months):
    """Count a column of months of help down by one, in place; people waiting keep waiting.

    Examples
    --------
    >>> months = np.array([3, 1, 0, -1], np.int8)
    >>> pass_month(months)
    >>> months.tolist()
    [2, 0, 0, -1]
    """
    for i in range(help_months.size):
        help_months[i] -= np.int8(help_months[i] > 0)


def answers(met: Contacts, left: Contacts, help_months: Array, months: int) -> tuple[Array, Array]:
    """Begin help for those whose appointment took place; people who gave up may seek it again.

    Parameters
    ----------
    met, left : Contacts
        Appointments of this month, and those given up or turned elsewhere.
    help_months : array of int8
        Of every row, as it stands.
    months : int
        How long help holds.

    Returns
    -------
    (array of int, array of int)
        Rows, and the months of each.
    """
    begins, ends = (one.row[one.is_sought & (help_months[one.row] == WAITS)] for one in (met, left))
    return np.concatenate([ends, begins]), np.repeat([0, months], [ends.size, begins.size])
