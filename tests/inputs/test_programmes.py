"""Programmes as data: what they rest on, what became of every claim, what is refused."""

import csv
import itertools
import math
import re
from collections import Counter
from pathlib import Path

import pytest

from model.cli import main
from model.core.errors import EvidenceError
from model.core.files import read_table
from model.inputs.parameters import load_parameters
from model.inputs.programmes import (
    ASSUMPTION,
    CLAIMS_FILE,
    FIGURES_FILE,
    LARGEST_PROGRAMME_BYTES,
    OUTSIDE_REASONS,
    AddTies,
    HazardRatio,
    bundled_programmes,
    known_evidence,
    load_programme,
)
from model.inputs.scenario import bundled_scenarios
from model.reporting.pages.programmes import (
    ANSWERED_ELSEWHERE,
    EXAMPLE,
    KINDS,
    OUTSIDE,
    PATTERNS,
    programmes_page,
    targets_of,
    unsourced,
)

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "programmes.md"
SHARED = ROOT.parent / "shared" / "evidence"

NAMES = sorted(bundled_programmes())
CLAIMS = read_table(CLAIMS_FILE)
FIGURES = {row["id"]: row for row in read_table(FIGURES_FILE)}

UNCONTROLLED = {"S037", "S059", "S060", "S108", "S109", "S173", "S174", "S176", "S221", "S222", "effect_epec_at_scale"}
"""Seen before and after, without controls: to be tested, not put in."""

READ_SINCE = {"effect_group_recovery", "effect_group_symptoms", "life_satisfaction_and_depression"}
"""Figures that were read after the evidence tables were made."""

needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="the evidence tables are not beside this checkout")


def numbers_of(name):
    return load_programme(name).numbers


def figure(name):
    return float(FIGURES[name]["value"])


def index_of(year):
    """Return the deflator of the financial year that starts in a year, in log steps between rows."""
    known = {int(key.split("_")[2]): figure(key) for key in FIGURES if key.startswith("gdp_")}
    before, after = (max(y for y in known if y <= year), min(y for y in known if y >= year))
    share = (year - before) / (after - before) if after > before else 0.0
    return known[before] * (known[after] / known[before]) ** share


# --- The catalogue ---------------------------------------------------------------------------


def test_the_catalogue_has_what_the_design_lists():
    assert {
        "peer_support_group",
        "befriending",
        "link_worker",
        "local_area_coordination",
        "community_hub",
        "community_builders",
        "resident_led_fund",
        "community_health_champions",
        "participatory_budgeting",
        "crisis_network",
        "parent_peer_support",
        "kinship_carer_groups",
        "family_group_conferencing",
        "shared_lives",
        "young_mentors",
        "self_reliant_groups",
        "falls_dance",
        "hospital_volunteers",
        "trained_responders",
    } <= set(NAMES)


def test_each_programme_differs_from_each_other_in_a_sourced_number():
    sourced = {
        name: {(key, one.value, one.source) for key, one in numbers_of(name).items() if one.is_sourced}
        for name in NAMES
    }
    for one, other in itertools.combinations(NAMES, 2):
        assert sourced[one] - sourced[other], (one, other)
        assert sourced[other] - sourced[one], (one, other)


@pytest.mark.parametrize("name", NAMES)
def test_unsourced_numbers_say_why(name):
    for key in unsourced(load_programme(name)):
        assert numbers_of(name)[key].why.endswith("."), key


@pytest.mark.parametrize("name", NAMES)
def test_sources_of_its_own_are_cited(name):
    programme = load_programme(name)
    cited = {key for one in programme.numbers.values() for key in one.source}

    assert set(programme.sources) <= cited


@pytest.mark.parametrize("name", NAMES)
def test_no_effect_rests_on_what_was_seen_without_controls(name):
    for key, one in numbers_of(name).items():
        if key.startswith("effects.") and UNCONTROLLED & set(one.source):
            assert ASSUMPTION in one.source, key


@pytest.mark.parametrize(
    ("name", "key", "treated", "control"),
    [
        ("crisis_network", "effects.1.ratio", 0.29, 0.38),
        ("family_group_conferencing", "effects.0.ratio", 0.362, 0.448),
    ],
)
def test_shares_within_a_year_become_ratios_of_rates(name, key, treated, control):
    expected = math.log(1.0 - treated) / math.log(1.0 - control)

    assert numbers_of(name)[key].value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize(
    ("name", "key", "as_published", "year"),
    [
        ("befriending", "capacity.unit_cost_gbp", figure("befriending_person_year"), 2009),
        ("community_builders", "capacity.unit_cost_gbp", figure("community_development_nef") / 4, 2009),
        ("community_hub", "capacity.unit_cost_gbp", figure("hub_turnover_small"), 2018),
        ("community_hub", "capacity.set_up_cost_gbp", figure("hub_capital_conversion"), 2017),
        ("crisis_network", "capacity.unit_cost_gbp", figure("peer_support_esussex") * 12 / 9, 2015),
        ("peer_support_group", "capacity.participant_cost_gbp", figure("csaif_grant_per_person"), 2015),
        ("resident_led_fund", "capacity.unit_cost_gbp", figure("big_local_award_area") / 12.5, 2018),
        ("resident_led_fund", "capacity.set_up_cost_gbp", 20_000.0, 2015),
        ("shared_lives", "effects.0.saving_gbp", figure("shared_lives_saving_mh"), 2015),
    ],
)
def test_costs_are_in_the_money_of_2024(name, key, as_published, year):
    expected = as_published * 100.0 / index_of(year)

    assert numbers_of(name)[key].value == pytest.approx(expected, rel=0.005)


def test_a_link_worker_refers_to_what_there_is_and_does_nothing_else_at_the_centre():
    worker = load_programme("link_worker")
    (ties,), (ratio,) = worker.effects_of(AddTies), worker.effects_of(HazardRatio)

    assert ties.through == "activity"
    assert (ratio.worsen.value, ratio.improve.value) == (1.0, 1.0)


# --- The evidence ----------------------------------------------------------------------------


def test_every_figure_is_cited_and_says_where_it_was_read():
    programmes = [load_programme(name) for name in NAMES]
    cited = {key for one in programmes for key in one.evidence}
    cited |= {key for one in programmes for number in one.numbers.values() for key in number.source}

    assert set(FIGURES) <= cited
    for row in FIGURES.values():
        assert all(row[key] for key in ("meaning", "unit", "source", "seen")), row["id"]


def test_claims_and_figures_have_names_of_their_own():
    assert len(known_evidence()) == len(CLAIMS) + len(FIGURES)


def test_every_claim_is_mapped_once_and_in_order():
    assert [claim["id"] for claim in CLAIMS] == [f"S{k:03d}" for k in range(1, 288)]


def test_every_claim_leads_somewhere_or_says_why_not():
    known = {
        "programme": NAMES,
        "parameter": load_parameters(),
        "pattern": {**PATTERNS, **ANSWERED_ELSEWHERE},
    }
    for claim in CLAIMS:
        targets = targets_of(claim)
        assert bool(targets) == (not claim["reason"]), claim["id"]
        assert (claim["maps_to_kind"] == OUTSIDE) == (claim["reason"] in OUTSIDE_REASONS)
        for kind, name in targets:
            assert kind in KINDS, claim["id"]
            assert kind == "scenario" or name in known[kind], claim["id"]


def test_every_scenario_claims_lead_to_is_bundled():
    names = {name for claim in CLAIMS for kind, name in targets_of(claim) if kind == "scenario"}

    assert names <= set(bundled_scenarios())


def test_every_programme_answers_to_a_claim_and_every_reason_is_used():
    mapped = {name for claim in CLAIMS for kind, name in targets_of(claim) if kind == "programme"}

    assert mapped == set(NAMES)
    assert {claim["reason"] for claim in CLAIMS} == {"", *OUTSIDE_REASONS}
    assert len(OUTSIDE_REASONS) <= 8


def test_every_pattern_has_its_section():
    page = (ROOT / "docs" / "patterns.md").read_text(encoding="utf-8")
    sections = [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")]

    assert set(PATTERNS.values()) <= set(sections)


@needs_shared
def test_the_claims_are_those_of_the_source_reports():
    with (SHARED / "seed_claims.csv").open(encoding="utf-8", newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [row["id"] for row in CLAIMS]


@needs_shared
def test_figures_are_those_that_were_read():
    read = {}
    for name in ("parameters.csv", "unit_costs.csv"):
        with (SHARED / name).open(encoding="utf-8", newline="") as file:
            read |= {row["name"]: row["value"] for row in csv.DictReader(file)}
    assert set(FIGURES) - set(read) == READ_SINCE
    for name in set(FIGURES) & set(read):
        assert FIGURES[name]["value"] == read[name], name


# --- The page --------------------------------------------------------------------------------


def test_page_of_programmes_is_the_generated_one(capsys):
    with pytest.raises(SystemExit):
        main(["programmes"])

    assert PAGE.read_text(encoding="utf-8") == capsys.readouterr().out, "run: upstream programmes > docs/programmes.md"


def test_page_names_the_unsourced_numbers_and_no_others():
    sections = re.split(r"^## ", programmes_page(), flags=re.MULTILINE)
    for name in NAMES:
        (section,) = (one for one in sections if one.startswith(name.replace("_", " ") + "\n"))
        (line,) = re.findall(r"^Unsourced: (.*)\.$", section, re.MULTILINE)
        assert re.findall(r"`(.+?)`", line) == unsourced(load_programme(name)), name


def test_page_counts_what_is_mapped():
    outside = Counter(claim["maps_to_kind"] for claim in CLAIMS)[OUTSIDE]
    share = 100.0 * (len(CLAIMS) - outside) / len(CLAIMS)

    assert f"{len(CLAIMS) - outside} ({share:.0f} %) are mapped" in programmes_page()


# --- A programme of one's own ----------------------------------------------------------------


def own(folder, text=EXAMPLE, name="walking_group.toml"):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal_of(path):
    with pytest.raises(EvidenceError) as refused:
        load_programme(str(path))
    return str(refused.value)


def test_the_example_of_the_page_is_a_programme(tmp_path):
    (block,) = re.findall(r"```toml\n(.*?)```", programmes_page(), re.DOTALL)
    programme = load_programme(own(tmp_path, block))

    assert programme.name == "walking_group"
    assert programme.effects_of(AddTies)[0].ties.value == 2.0


def test_every_bundled_programme_works_beside_a_scenario(tmp_path):
    for name, path in bundled_programmes().items():
        copy = own(tmp_path, path.read_bytes(), path.name)
        assert load_programme(str(copy)) == load_programme(name)


NUMBER = 'value = 1, range = [0, 2], source = "assumption", why = "x"'
HAZARD = f'kind = "hazard_ratio"\nworsen = {{ {NUMBER.replace("0,", "0.5,")} }}\n'

REFUSED = [
    # what becomes of the example, and what is said of it after the file's name
    (
        'label = "Walking group"',
        'lable = "Walking group"',
        "lable = 'Walking group': unknown key. Did you mean 'label'?",
    ),
    ("[enrolment]", "[enrollment]", "enrollment = {", "unknown key. Did you mean 'enrolment'?"),
    ("self_referral =", "self_referal =", "enrolment.self_referal = {", "unknown key. Did you mean 'self_referral'?"),
    ("{ value = 0.1,", "{ vlaue = 0.1,", "enrolment.self_referral.vlaue = 0.1: unknown key. Did you mean 'value'?"),
    ("ties = {", "tie = {", "effects.0.tie = {", "unknown key. Did you mean 'ties'?"),
    ("{ value = 2,", "{ vlaue = 2,", "effects.0.ties.vlaue = 2: unknown key. Did you mean 'value'?"),
    ('kind = "add_ties"', 'kind = "add_tie"', "effects.0.kind = 'add_tie': unknown kind. Did you mean 'add_ties'?"),
    (
        'kind = "add_ties"',
        'kind = "magic"',
        "effects.0.kind = 'magic': unknown kind. Known: add_ties, build_infrastructure",
    ),
    ('kind = "add_ties"\n', "", "effects.0 = {", "has no kind. Known: add_ties"),
    ("uptake = {", "# uptake = {", "enrolment.uptake: is missing"),
    (
        'evidence = ["S203"]',
        'evidence = ["effect_befriending_shrt"]',
        "evidence = 'effect_befriending_shrt': unknown evidence. Allowed: a claim S001 to S287",
        "Did you mean 'effect_befriending_short'?",
    ),
    ('evidence = ["S203"]', 'evidence = ["S2O3"]', "evidence = 'S2O3': unknown evidence. "),
    (
        'source = "our_count"',
        'source = "our_counts"',
        "course.drop_out_rate.source = 'our_counts': unknown evidence",
        "Did you mean 'our_count'?",
    ),
    (
        "[[effects]]",
        '[[effects]]\nkind = "service_ratio"\nservice = "a_n_e"\n'
        f"ratio = {{ {NUMBER.replace('0,', '0.5,')} }}\n[[effects]]",
        "effects.0.service = 'a_n_e': unknown service. Did you mean 'a_and_e'?",
    ),
    (
        "value = 12, range = [8, 20]",
        "value = -3, range = [-5, 20]",
        "capacity.people = {",
        "-3, from -5 to 20, is not within 0.01 to 1,000,000",
    ),
    (
        "value = 500, range = [200, 1500]",
        "value = -500, range = [-500, 0]",
        "capacity.unit_cost_gbp = {",
        "is not within 1 to 1,000,000,000",
    ),
    (
        "value = 500, range = [200, 1500]",
        "value = 500, range = [1500, 200]",
        "capacity.unit_cost_gbp = {",
        "its range runs from 1500 down to 200",
    ),
    (
        "value = 0.3, range = [0.1, 0.6]",
        "value = 0.9, range = [0.1, 0.6]",
        "enrolment.uptake = {",
        "0.9 is outside its own range, 0.1 to 0.6",
    ),
    (
        "value = 0.3, range = [0.1, 0.6]",
        "value = nan, range = [0.1, 0.6]",
        "enrolment.uptake.value = nan: is not a finite number",
    ),
    (', why = "Posters."', "", "capacity.set_up_cost_gbp = {", "an assumption must say why"),
    (
        "ages = [50, 120]",
        "ages = [65, 50]",
        "eligibility = {",
        "ages [65, 50] are not within 16 to 120, the lower age first",
    ),
    ("ages = [50, 120]", "ages = [5, 50]", "ages [5, 50] are not within 16 to 120"),
    ('lonely = "sometimes"', 'lonely = "seldom"', "eligibility.lonely = 'seldom': ", "Allowed: any, sometimes, often"),
    ('lonely = "sometimes"', 'child_care = "in need"', "child_care requires parents = true"),
    ("self_referral = {", "uptake_ = {", "enrolment.uptake_ = {", "Did you mean 'uptake'?"),
    ("people = { value = 12", "people = 12 # {", "capacity.people = 12: ", "a number needs its evidence"),
    ("grade = 6", "grade = 7", "grade = 7: input should be less than or equal to 6"),
    ('kind = "add_ties"', 'kind = "add_ties"\nthrough = "activity"', "and neither with 'activity'"),
    ("label =", "label ==", "is not TOML"),
    ("label =", 'name = "befriending"\nlabel =', "name = 'befriending': a programme takes its name from its file"),
    ("[sources]", '[sources]\nS203 = "Ours."', "sources.S203: is already the id of other evidence"),
    ("[sources]", '[sources]\nassumption = "Ours."', "sources.assumption: is already the id"),
    (
        "[[effects]]",
        f'[[effects]]\nkind = "add_ties"\nties = {{ {NUMBER} }}\n'
        + "".join(f"{kept} = {{ {NUMBER.replace('2', '1')} }}\n" for kept in ("kept_tapered", "kept_abrupt"))
        + "[[effects]]",
        "adds peer ties twice",
    ),
]


@pytest.mark.parametrize(("there", "instead", "said", "also"), [(*case, "")[:4] for case in REFUSED])
def test_refusals_name_the_place_and_the_nearest_name(tmp_path, there, instead, said, also):
    assert EXAMPLE.count(there) >= 1
    path = own(tmp_path, EXAMPLE.replace(there, instead, 1))
    message = refusal_of(path)

    assert message.startswith(f"{path}: ")
    assert said in message
    assert also in message
    assert "\n" not in message


def test_a_programme_without_a_way_in_is_refused(tmp_path):
    text = re.sub(r"self_referral = .*\n", "", EXAMPLE)

    assert "has no recruitment route; give one or more of after_acute" in refusal_of(own(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"#" * (LARGEST_PROGRAMME_BYTES + 1), "is too large (200,001 bytes)"),
        (b"", "is empty"),
        (b"\xff\xfe", "is not text in UTF-8"),
        (b"a = [[[[[[[[[[1]]]]]]]]]]", "nested more than 8 deep"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path, text, said):
    path = own(tmp_path, text)

    assert refusal_of(path).startswith(f"{path}: {said}") or said in refusal_of(path)


def test_a_name_nobody_knows_is_met_with_the_nearest():
    assert refusal_of("link_wroker") == (
        "programme = 'link_wroker': no such programme. Allowed: a bundled name, or a file ending "
        "in .toml. Did you mean 'link_worker'?"
    )


def test_a_file_that_is_not_there_is_said_so(tmp_path):
    own(tmp_path)

    assert "no such file. Did you mean 'walking_group.toml'?" in refusal_of(tmp_path / "walking_grup.toml")
