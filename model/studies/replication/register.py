"""Which function replays which study of the register, and how rows are chosen."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from model.core.errors import EvidenceError
from model.inputs.replications import Study, load_replications
from model.studies.paired_runs import Worlds
from model.studies.replication import associations, before_after, controlled, panels, shocks, trials
from model.studies.runner import Figures
from model.studies.runner import Study as Question

Replay = Callable[[Worlds, Study], Figures]

_ALL: Sequence[Replay] = (
    controlled.big_local,
    controlled.linkmm,
    controlled.roll_out,
    controlled.empowering_places,
    controlled.new_deal,
    trials.befriending_trials,
    trials.group_trials,
    trials.befriending_remission,
    trials.peer_one_to_one,
    trials.peer_hospital,
    before_after.croydon,
    before_after.rotherham,
    before_after.polley,
    before_after.older_patients,
    before_after.crisis_team,
    before_after.b_friend,
    before_after.kinship,
    before_after.lambeth,
    before_after.frome,
    before_after.ayrshire,
    before_after.leeds,
    associations.distress,
    associations.lonely_contacts,
    associations.lonely_older,
    associations.alone_older,
    associations.mental_health_a_and_e,
    associations.frequent_attenders,
    associations.lonely_ill,
    associations.unemployed,
    panels.sisa,
    panels.confidant,
    panels.support,
    panels.persistence,
    panels.lonely_course,
    shocks.pandemic,
    shocks.recession,
    shocks.heatwave,
    shocks.klinenberg,
)

REPLAYS: Mapping[str, Replay] = {replay.__name__: replay for replay in _ALL}
"""Replays by the names of their studies, in the order of the register."""


def replay(name: str, worlds: Worlds) -> Figures:
    """Replay a study of the register for one seed."""
    return REPLAYS[name](worlds, load_replications().by_name[name])


def chosen(claims: Sequence[str]) -> list[Study]:
    """Return the studies with findings of some claims; all studies where none is given.

    Raises
    ------
    EvidenceError
        When no row of the register is of such a claim.

    Examples
    --------
    >>> [study.name for study in chosen(["S108"])]
    ['lambeth']
    """
    register = load_replications()
    known = list(dict.fromkeys(finding.claim for _, finding in register.rows))
    for claim in claims:
        if claim not in known:
            raise EvidenceError(
                "is no row of the register of replications", key="CLAIM", value=claim, known=known, wanted=claim
            )
    return [study for study in register.studies if not claims or {one.claim for one in study.findings} & set(claims)]


def questions(studies: Sequence[Study]) -> list[Question]:
    """Return the functions that replay some studies, as `model.studies.runner.ask` wants them."""
    return [partial(replay, study.name) for study in studies]
