"""A file of one's own that cannot work is refused in one message, and leaves nothing behind."""

import sys
from pathlib import Path

import pytest

from model import CommunityModel
from model.core.errors import InputError
from model.core.own_code import LOADED, OwnCodeError
from model.extend import load_extension
from model.inputs.catalogue import load_services
from model.inputs.parameters import read_parameters
from model.inputs.payers import load_payments
from model.inputs.programmes import EFFECTS, load_programme
from model.simulation.month import all_steps
from model.state.population import COLUMNS, DECLARED, OWN_COLUMNS
from model.tables.schema import TABLES
from tests.test_extend import PAGE, written


def known():
    """Return everything that a file may add to, as it stands."""
    read = read_parameters()
    adult = {"services": load_services(), "payments": load_payments().services, "columns": DECLARED, "tables": TABLES}
    listed = (tuple(COLUMNS), tuple(OWN_COLUMNS), tuple(EFFECTS), all_steps(), tuple(LOADED), tuple(sys.modules))
    return {name: dict(one) for name, one in adult.items()}, dict(read.entries), dict(read.sources), listed


def refusal(folder, text=PAGE):
    """Return what is said of a file, which must leave all as it was."""
    before, file = known(), written(folder, text) / "debt.py"
    with pytest.raises(InputError) as refused:
        load_extension(file)
    assert known() == before
    message = str(refused.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file))


RATE = 'guess("welfare_rights_rate", 30,'

WRONG = [
    ('after="life_events_strike"', 'after="life_event_strikes"', "Did you mean 'life_events_strike'?"),
    (', after="life_events_strike"', "", "step fall_into_debt: has no place in the month"),
    ('after="life_events_strike"', 'after="die", before="die"', "Allowed: one of before and after"),
    ('("burn-in", "months")', '("burnin", "months")', "unknown phase. Allowed: founding, burn-in"),
    ('("burn-in", "months")', "()", "is no list of phases"),
    ('reads=("debt_clearing_ratio",)', "reads=()", "debt_advice.fills = 'debt_clearing_ratio': no step reads"),
    (
        'reads=("debt_clearing_ratio",)',
        'reads=("debt_clearing_rato",)',
        "fall_into_debt.reads = 'debt_clearing_rato': no effect fills what this step reads. Allowed: a term that an "
        "effect names in its fills. Did you mean 'debt_clearing_ratio'?",
    ),
    ("fall_into_debt", "seek_help", "two steps have one name"),
    ('guess("debt_rate"', 'guess("gp_rate"', "there is a parameter of this name"),
    ('Service("welfare_rights"', 'Service("gp"', "there is a service of this name"),
    ('Column("in_debt"', 'Column("state"', "there is a column of this name"),
    ('Field("in_debt"', 'Field("adults"', "a table has a column of this name"),
    ('"per year", 0.1, 1.0', '"per yaer", 0.1, 1.0', "Did you mean 'per year'?"),
    ('kind: Literal["debt_advice"]', 'kind: Literal["add_ties"]', "there is an effect of this kind"),
    ('kind: Literal["debt_advice"]', "kind: str", 'Allowed: kind: Literal["NAME"]'),
    ('    kind: Literal["debt_advice"]\n', "", 'Allowed: kind: Literal["NAME"]'),
    ("Term(neutral=1.0)", "1.0", "fills.DebtAdvice.debt_clearing_ratio = 1.0: should be "),
    ("    def fill(", "    def fil(", "debt_advice: has no fill"),
    ("extension = Extension(", "mine = Extension(", "names no extension"),
    ("import numpy as np", "import numpee as np", "cannot be run (ModuleNotFoundError: No module named 'numpee')"),
    ("COUNCIL = Payment", "COUNCIL == = Payment", ", line 76: cannot be run (SyntaxError: invalid syntax)"),
    ("COUNCIL = Payment", "raise SystemExit\nCOUNCIL = Payment", ", line 76: cannot be run (SystemExit)"),
    ("services=(WELFARE_RIGHTS,)", "services=WELFARE_RIGHTS", "a tuple of one has a comma, (ONE,)"),
    ("steps=(\n        OwnStep(", "steps=(\n        (lambda step, after: step)(", "should be an instance of OwnStep"),
    ('Column("in_debt", "int8"', 'Column("in_debt", "int99"', "columns.0.dtype = 'int99': should be 'int8', "),
    ('Field("in_debt", "int64"', 'Field("in_debt", "int99"', "field.type = 'int99': should be 'int8', "),
    ('base="adults"', 'base="adutls"', "service.base = 'adutls': should be 'people', 'adults', "),
    ('base="adults"', 'base="adults", kind="stock"', "welfare_rights.kind = 'stock': cannot be added"),
    ('base="adults"', 'base="adults", spills_to="gpp"', "unknown service. Did you mean 'gp'?"),
    ('base="adults"', 'base="adults", margins=("age",)', "'welfare_rights_share_65_plus': has no such parameter"),
    (RATE, RATE.replace("_rate", "_rat"), "'welfare_rights_rate': has no such parameter. Allowed: one parameter each"),
    ('"2024/25"', '"2024/26"', "welfare_rights.price_year = '2024/26': unknown price year. Did you mean"),
    ('"council", 1.0', '"counsil", 1.0', "unknown agency. Did you mean 'council'?"),
    ('"council", 1.0', '"council", 0.7', "payers' shares don't sum to one"),
    ('beneficiary="council"', 'beneficiary="counsil"', "unknown agency. Did you mean 'council'?"),
    ("cashable=0.5", "cashable=5", "welfare_rights.cashable = 5.0: outside its own range"),
]


@pytest.mark.parametrize(("old", "new", "said"), WRONG)
def test_what_cannot_work_is_refused_in_one_message_and_adds_nothing(tmp_path, old, new, said):
    assert old in PAGE

    assert said in refusal(tmp_path, PAGE.replace(old, new))


def test_after_a_refusal_the_mended_file_loads(tmp_path, session):
    refusal(tmp_path, PAGE.replace('after="life_events_strike"', 'after="life_event_strikes"'))
    load_extension(written(tmp_path) / "debt.py")

    assert "fall_into_debt" in [step.name for step in all_steps()]
    assert load_programme(str(tmp_path / "debt_advice.toml")).effects[0].kind == "debt_advice"


def test_a_file_loaded_twice_is_run_once(tmp_path, session):
    file = written(tmp_path) / "debt.py"
    first = load_extension(file)

    assert load_extension(tmp_path / "." / "debt.py") is first


def test_two_files_of_one_stem_are_two_files(tmp_path, session):
    (tmp_path / "sub").mkdir()
    here, there = tmp_path / "debt.py", tmp_path / "sub" / "debt.py"
    for file, name in ((here, "grow_up"), (there, "grow_wise")):
        step = f'Step({name}), after="die"'
        file.write_text(
            f"from model.extend import Extension, OwnStep, Step\n\ndef {name}(sim, month): pass\n\n"
            f"extension = Extension(steps=[OwnStep({step})])\n"
        )
        load_extension(file)

    assert {"grow_up", "grow_wise"} <= {step.name for step in all_steps()}
    assert [code.path for code in LOADED.values()] == [here, there]


def test_a_name_that_another_file_has_is_refused_with_that_file(tmp_path, session):
    load_extension(written(tmp_path) / "debt.py")
    (tmp_path / "sub").mkdir()

    assert f"{tmp_path / 'debt.py'} has a column of this name" in refusal(tmp_path / "sub")


def test_a_file_that_is_not_there_suggests_one_of_its_kind(tmp_path):
    with pytest.raises(InputError, match=r"deb\.py: no such file\. Did you mean 'debt\.py'"):
        load_extension(written(tmp_path) / "deb.py")


def test_a_file_knows_where_it_is_and_may_put_annotations_off(tmp_path, session):
    """Both need what Python gives modules that are imported: a place, and a name that classes find."""
    file = tmp_path / "own.py"
    file.write_text(
        "from __future__ import annotations\n"
        "from dataclasses import dataclass\n"
        "from pathlib import Path\n"
        "from typing import ClassVar, Literal\n"
        "from model.extend import Effect, Extension, OwnStep, Ratio, Step, Term\n"
        "HERE = Path(__file__).parent\n"
        "@dataclass\n"
        "class Debt:\n"
        "    place: Path\n"
        "    owed: ClassVar[int] = 0\n"
        "class Advice(Effect):\n"
        '    kind: Literal["advice"]\n'
        "    ratio: Ratio\n"
        '    fills = {"advice": Term(1.0)}\n'
        "    def fill(self, terms, entry, *, is_abrupt): pass\n"
        "def owe(sim, month): pass\n"
        'extension = Extension(steps=[OwnStep(Step(owe, reads=("advice",)), after="die")], effects=[Advice])\n'
    )
    found = load_extension(file)
    module = sys.modules[found.effects[0].__module__]

    assert module.HERE == Path(module.__file__).parent == tmp_path
    assert module.Debt(tmp_path).place == tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            'terms["debt_clearing_ratio"]',
            'terms["debt_clearing_rato"]',
            "debt_clearing_rato: is a term that the effect does not declare. Allowed: one of its fills. Did you mean "
            "'debt_clearing_ratio'?",
        ),
        ('terms["debt_clearing_ratio"]', '(1 / 0)["debt_clearing_ratio"]', "ZeroDivisionError: division by zero"),
    ],
)
def test_an_effect_that_cannot_fill_is_refused_with_its_place_as_its_programme_is_read(
    tmp_path, session, old, new, said
):
    line = PAGE[PAGE.index("# debt.py") : PAGE.index(old)].count("\n")
    file = written(tmp_path, PAGE.replace(old, new)) / "debt.py"
    load_extension(file)

    with pytest.raises(InputError) as refused:
        load_programme(str(tmp_path / "debt_advice.toml"))
    assert str(refused.value) == f"{file}, line {line}, effect debt_advice: {said}"


COUNT = 'return sim.world.count_by_neighbourhood(np.flatnonzero(sim.world.population.columns["in_debt"]))'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("def fall_into_debt(sim, month)", "def fall_into_debt(sim)", r"line 28, step fall_into_debt: TypeError: "),
        (COUNT, "return np.zeros(3)", r"line 42, column in_debt: ValueError: 5 values .* shape is \(3,\)"),
        (COUNT, "return np.full(5, 0.5)", r"line 42, column in_debt: ArrowInvalid: Float value 0\.5"),
        (
            "    owes = people",
            "    raise SystemExit(3)\n    owes = people",
            "line 31, step fall_into_debt: SystemExit: 3",
        ),
    ],
)
def test_what_fails_in_a_month_says_where(town, tmp_path, session, old, new, said):
    load_extension(written(tmp_path, PAGE.replace(old, new)) / "debt.py")

    with pytest.raises(OwnCodeError, match=rf"debt\.py, {said}"):
        CommunityModel(town.model_copy(update={"population": 300, "burn_in_years": 0}), rng=1).step()
