"""What reaches the disk, whoever wrote it and however the campaign ended."""

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from model import CommunityModel, Results, load_scenario
from model.analysis.appraise import appraise, write_appraisal
from model.analysis.estimates import estimate
from model.campaign.campaign import places_of, require_runnable, run_campaign
from model.campaign.continued import extend
from model.campaign.workers import Run, run_row
from model.core.errors import ResultsError, ScenarioError
from model.core.files import sha256_of
from model.inputs.catalogue import load_services
from model.inputs.places import profiles
from model.reporting.figures.overview import draw_overviews
from model.reporting.summary import summary
from model.simulation import timeline
from model.simulation.month import STEPS, Step, with_step
from model.tables.schema import DIMENSIONS, EVERY_RUN, TABLES, frame_of
from model.tables.store import (
    PARTS,
    RunStore,
    checked_file,
    kept_rows,
    locked,
    new_folder,
    pack,
    remove_parts,
    settle_tables,
    write_tables,
)


@pytest.fixture(scope="module")
def config(town):
    return town.model_copy(update={"replicates": 4, "burn_in_years": 1, "population": 1_000})


@pytest.fixture(scope="module")
def helped(config):
    update = {
        "name": "helped",
        "levers": {"worsen_hazard_ratio": 0.8},
        "plan": [{"programme": "community_builders", "budget_gbp_per_year": 1e6}],
    }
    return config.model_copy(update=update)


@pytest.fixture(scope="module")
def folder(config, helped, tmp_path_factory):
    return run_campaign([config, helped], tmp_path_factory.mktemp("a") / "out", jobs=1).folder


@pytest.fixture(scope="module")
def results(folder):
    return Results(folder)


def test_every_table_reads_in_one_line_and_has_its_declared_columns(folder):
    for name in EVERY_RUN:
        table = TABLES[name]
        frame = pd.read_parquet(folder / f"{name}.parquet")
        assert list(frame.columns) == [field.name for field in table.columns]
        assert not frame.duplicated(list(table.key)).any()
        assert len(frame) > 0


def test_units_and_meanings_travel_with_the_columns(folder):
    schema = pq.read_schema(folder / "services.parquet")

    assert schema.field("cost_gbp").metadata[b"unit"] == b"GBP (real place)"


def test_dimensions_are_joined_to_every_table(results):
    for table in (results.monthly, results.people, results.services):
        assert set(DIMENSIONS) < set(table.columns)
        assert set(table["scenario"]) == {"status_quo", "helped"}


def test_runs_say_who_they_are_and_how_they_went(results, config):
    runs = results.runs

    assert runs["run"].tolist() == list(range(8))
    assert runs["seed"].tolist() == [config.seed + k for k in range(4) for _ in range(2)]
    assert set(runs["status"]) == {"finished"}
    assert set(runs["place"]) == {"sandbeck"}
    assert set(runs["place_name"]) == {"Sandbeck"}
    assert (runs["scale"] == 40.0).all()
    assert (runs["seconds"] > 0).all()
    assert (runs["peak_memory_mb"] > 10).all()
    assert runs["digest"].nunique() == 8


def test_a_campaigns_run_is_the_model_run_by_hand(results, config):
    model = CommunityModel(config, rng=config.seed + 2)
    for _ in range(config.months):
        model.step()

    assert model.digest() == results.runs["digest"][4]
    monthly = results.monthly[results.monthly["run"] == 4]
    by_hand = model.recorder.tables()["monthly"].to_pandas()
    assert monthly["in_crisis"].tolist() == by_hand["in_crisis"].tolist()


@pytest.mark.slow
def test_the_numbers_do_not_depend_on_the_number_of_workers(results, config, helped, tmp_path):
    other = run_campaign([config, helped], tmp_path / "out", jobs=3).results

    assert other.runs["digest"].tolist() == results.runs["digest"].tolist()
    for table in ("monthly", "people", "services", "programmes", "ledger"):
        pd.testing.assert_frame_equal(getattr(other, table), getattr(results, table))


OTHER_PYTHON = os.environ.get("UPSTREAM_OTHER_PYTHON", "")
BITS = (
    "import json, mesa, sys; from model import CommunityModel, load_scenario;"
    "c = load_scenario().model_copy(update=json.loads(sys.argv[1]));"
    "m = CommunityModel(c, rng=7); [m.step() for _ in range(24)];"
    "print(json.dumps([mesa.__version__, m.digest()]))"
)


def bits(python):
    update = {"population": 5_000, "burn_in_years": 1, "years": 2}
    found = subprocess.check_output([python, "-c", BITS, json.dumps(update)], text=True)
    return json.loads(found)


@pytest.mark.skipif(not OTHER_PYTHON, reason="UPSTREAM_OTHER_PYTHON names no other Python with the project")
def test_same_bits_on_another_python_and_mesa():
    here, there = bits(sys.executable), bits(OTHER_PYTHON)

    assert here[0] != there[0]
    assert here[1] == there[1]


@pytest.mark.slow
def test_a_scenario_with_parameters_of_its_own_reaches_the_workers(config, tmp_path):
    update = {"parameters": {"frailty_sd": 0.5}, "replicates": 2}
    own = config.model_copy(update=update)

    there = run_campaign([own], tmp_path / "there", jobs=2).results
    here = run_campaign([own], tmp_path / "here").results

    assert set(there.runs["status"]) == {"finished"}
    assert there.runs["digest"].tolist() == here.runs["digest"].tolist()


def test_a_shared_burn_in_is_lived_once_and_changes_nothing(results, helped, tmp_path):
    alone = run_campaign([helped], tmp_path / "out").results

    assert alone.runs["digest"].tolist() == results.runs["digest"][1::2].tolist()


def test_scale_turns_the_sample_into_the_real_place(results):
    monthly = results.monthly[results.monthly["run"] == 0]
    first = monthly[monthly["month"] == 1]
    came = (first["births"] + first["moved_in"]).sum()
    change = came - (first["deaths"] + first["moved_out"]).sum()

    assert (first["residents"] * first["scale"]).sum() == pytest.approx(40_000 + 40 * change)


def test_costs_are_served_contacts_of_the_real_place_at_their_unit_cost(results, config):
    for name, rows in results.services.groupby("service"):
        unit_cost = config.parameter_values[f"{name}_unit_cost"]
        is_by_year = load_services()[name].is_by_year
        used = rows["stock_months"].sum() / 12 if is_by_year else rows["served"].sum()
        assert rows["cost_gbp"].sum() == pytest.approx(used * unit_cost * 40.0)
    assert (results.services["served"] == results.services["demand"]).all()


def test_columns_not_alive_yet_are_absent(results):
    assert not {"lonely", "no_support"} & set(results.monthly.columns)


def test_a_run_that_breaks_leaves_its_reason_and_the_others_go_on(config, tmp_path, monkeypatch):
    broken = CommunityModel(config, rng=config.seed + 1).simulation.world.draws

    def break_one(sim, month):
        if sim.world.draws == broken:
            raise ZeroDivisionError("on purpose")

    steps = with_step(STEPS, Step(break_one), after="grow_older")
    monkeypatch.setattr(timeline, "all_steps", lambda: steps)
    outcome = run_campaign([config], tmp_path / "out")
    runs = outcome.results.runs

    assert outcome.failed == 1
    assert runs["status"].tolist() == ["finished", "failed", "finished", "finished"]
    assert runs["error"][1] == "ZeroDivisionError: on purpose"
    assert set(outcome.results.monthly["run"]) == {0, 2, 3}


def test_identical_replicates_are_an_error(config, tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "seed", property(lambda run: run.config.seed))

    with pytest.raises(ResultsError, match="identical to the bit"):
        run_campaign([config], tmp_path / "out")


@pytest.mark.parametrize("wrong", ["status_quo", ["status_quo"], [], None, 3])
def test_what_is_no_list_of_scenarios_is_refused(tmp_path, wrong):
    with pytest.raises(ScenarioError, match=r"scenarios = .*: is no list of scenarios\. Allowed: scenarios, one or"):
        run_campaign(wrong, tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_a_single_scenario_is_told_how_to_be_given(config, tmp_path):
    with pytest.raises(ScenarioError, match=r"status_quo.*is a single scenario\. .*: run_campaign\(\[scenario\]\)"):
        run_campaign(config, tmp_path / "out")


def test_the_folder_may_be_given_as_text(config, tmp_path):
    small = config.model_copy(update={"population": 200, "replicates": 1, "services": []})

    assert run_campaign([small], str(tmp_path / "out")).folder == tmp_path / "out"


def test_two_scenarios_of_one_name_are_refused(config):
    with pytest.raises(ScenarioError, match="this name"):
        require_runnable([config, config], {}, 1)


def test_two_places_of_one_key_are_refused(config, tmp_path):
    own = tmp_path / "sandbeck.toml"
    own.write_text(profiles()["sandbeck"].read_text(encoding="utf-8").replace("Sandbeck", "Elsewhere"))
    theirs = config.model_copy(update={"name": "theirs", "place": str(own)})

    assert places_of([theirs])["sandbeck"].name == "Elsewhere"
    with pytest.raises(ScenarioError, match="two places sandbeck"):
        require_runnable([config, theirs], {}, 1)


def test_a_damaged_database_is_refused(config, tmp_path):
    new_folder(tmp_path / "out")
    store = RunStore(tmp_path / "out")
    packed = pack({"runs": frame_of("runs", run_row(Run(0, config, 0), "finished"))})
    store.keep({0: packed})
    store.close()
    assert [run for run, _ in kept_rows(tmp_path / "out", "runs")] == [0]
    data = bytearray(store.path.read_bytes())
    data[data.index(packed["runs"][50:90])] ^= 1
    store.path.write_bytes(data)

    with pytest.raises(ResultsError, match=r"runs\.sqlite: is damaged"):
        list(kept_rows(tmp_path / "out", "runs"))


@pytest.fixture
def killed(config, tmp_path):
    """A folder in which a run was kept, and none is in a table yet."""
    store = RunStore(new_folder(tmp_path / "out"))
    store.keep({0: pack({"runs": frame_of("runs", run_row(Run(0, config, 0), "finished"))})})
    store.close()
    return tmp_path / "out"


def test_what_was_kept_is_read_where_nothing_can_be_written(killed, monkeypatch):
    connect = sqlite3.connect

    def on_a_read_only_disk(path, *more, **how):
        if "immutable=1" not in str(path):
            path = killed / "no folder" / "runs.sqlite"  # as SQLite fails there, which must write a file beside it
        return connect(path, *more, **how)

    with monkeypatch.context() as patch:
        patch.setattr(sqlite3, "connect", on_a_read_only_disk)
        assert [run for run, _ in kept_rows(killed, "runs")] == [0]
        (killed / PARTS / "runs.sqlite-wal").write_bytes(b"more that was kept")
        with pytest.raises(ResultsError, match=r"runs\.sqlite: cannot be read \(unable to open database file\)$"):
            list(kept_rows(killed, "runs"))


def test_a_database_that_another_process_holds_is_not_called_damaged(killed, monkeypatch):
    monkeypatch.setattr("model.tables.store.SECONDS_TO_WAIT", 0.01)
    with contextlib.closing(sqlite3.connect(killed / PARTS / "runs.sqlite")) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(ResultsError, match=r"runs\.sqlite: cannot be read \(database is locked\)$"):
            list(kept_rows(killed, "runs"))


def test_a_database_that_is_gone_when_it_is_opened_holds_nothing_more(killed, monkeypatch):
    connect = sqlite3.connect

    def as_another_process_ends(*words, **how):
        remove_parts(killed)
        return connect(*words, **how)

    monkeypatch.setattr(sqlite3, "connect", as_another_process_ends)
    assert list(kept_rows(killed, "runs")) == []
    assert not (killed / PARTS).exists()


def test_what_is_kept_again_replaces_what_was(tmp_path, config):
    new_folder(tmp_path / "out")
    store = RunStore(tmp_path / "out")
    tables: dict[str, str] = {}
    for status in ("failed", "finished"):
        store.keep({k: pack({"runs": frame_of("runs", run_row(Run(k, config, k), status))}) for k in (3, 1)})
        tables = write_tables(tmp_path / "out", tables)
        settle_tables(tmp_path / "out", tables)
    rows = pd.read_parquet(tmp_path / "out" / "runs.parquet")

    assert rows[["run", "status"]].to_numpy().tolist() == [[1, "finished"], [3, "finished"]]


def test_folders_are_numbered_on(tmp_path):
    assert [new_folder(None, tmp_path / "results").name for _ in range(3)] == ["001", "002", "003"]


def test_a_folder_in_which_a_process_was_killed_as_it_began_is_as_good_as_new(tmp_path):
    with locked(new_folder(tmp_path / "out")):
        pass  # and killed before it wrote anything

    assert new_folder(tmp_path / "out") == tmp_path / "out"
    (tmp_path / "out" / "neighbourhoods.parquet").write_bytes(b"cut")  # killed before the manifest was written
    assert new_folder(tmp_path / "out") == tmp_path / "out"
    (tmp_path / "out" / "notes.txt").touch()
    with pytest.raises(ResultsError, match="in use"):
        new_folder(tmp_path / "out")


def test_what_is_refused_in_a_folder_leaves_nothing_of_its_own_there(killed, folder):
    before = sorted(folder.rglob("*"))
    for held in (folder, killed):
        with pytest.raises(ResultsError, match="no such plan"), locked(held):
            raise ResultsError("no such plan")

    assert sorted(folder.rglob("*")) == before
    assert [run for run, _ in kept_rows(killed, "runs")] == [0]  # more than a lock was there


LINKS = ["lock", "owner", "runs.sqlite", "runs.sqlite-wal", "runs.sqlite-shm", "monthly.parquet", ""]


@pytest.mark.parametrize("name", LINKS)
def test_no_link_in_a_folder_of_somebody_else_is_written_through(folder, tmp_path, name):
    copy, outside = tmp_path / "copy", tmp_path / "outside"
    shutil.copytree(folder, copy)
    if name:
        (copy / PARTS).mkdir()
        outside.write_text("mine")
    else:
        outside.mkdir()
    (copy / PARTS / name).symlink_to(outside)

    with pytest.raises(ResultsError, match=r"\.parts.*: is a link"):
        extend(copy, replicates=5)
    with pytest.raises(ResultsError, match=r"\.parts.*: is a link"):
        RunStore(copy)
    assert outside.read_text() == "mine" if name else not any(outside.iterdir())


def test_a_link_is_not_moved_to_where_a_table_belongs(folder, tmp_path):
    copy, outside = tmp_path / "copy", tmp_path / "outside"
    shutil.copytree(folder, copy)
    (copy / PARTS).mkdir()
    (copy / "monthly.parquet").rename(outside)
    (copy / PARTS / "monthly.parquet").symlink_to(outside)
    tables = Results(copy).manifest["tables"]
    settle_tables(copy, tables)

    assert not (copy / "monthly.parquet").exists()
    with pytest.raises(ResultsError, match=r"monthly\.parquet: is missing"):
        checked_file(copy, "monthly", tables["monthly"])


def test_a_table_that_is_moved_into_place_while_it_is_looked_for_is_found(folder, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / PARTS).mkdir()
    (copy / "monthly.parquet").rename(copy / PARTS / "monthly.parquet")
    (copy / "monthly.parquet").write_bytes(b"the one before")
    tables = Results(copy).manifest["tables"]

    def hashed_as_another_process_ends(path):
        found = sha256_of(path)
        if (copy / PARTS / "monthly.parquet").exists():
            (copy / PARTS / "monthly.parquet").replace(copy / "monthly.parquet")
        return found

    monkeypatch.setattr("model.tables.store.sha256_of", hashed_as_another_process_ends)
    assert checked_file(copy, "monthly", tables["monthly"]) == copy / "monthly.parquet"


def test_a_table_that_cannot_be_read_is_not_called_damaged(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "monthly.parquet").unlink()
    (copy / "monthly.parquet").mkdir()  # opened as a file, it fails as one without the right to be read

    with pytest.raises(ResultsError, match=r"monthly\.parquet: cannot be read \((Is a directory|Permission denied)\)$"):
        _ = Results(copy).monthly


def test_results_that_are_read_as_another_process_extends_them_are_those_after_it(config, tmp_path):
    folder = run_campaign([config.model_copy(update={"population": 200, "replicates": 1})], tmp_path / "out").folder
    before = Results(folder)
    assert len(before.budgets) and before.runs["run"].tolist() == [0]
    extend(folder, replicates=2)

    assert before.monthly["run"].unique().tolist() == [0, 1]
    assert before.runs["run"].tolist() == [0, 1]


def test_a_folder_in_use_is_refused(folder):
    with pytest.raises(ResultsError, match="in use"):
        new_folder(folder)


def test_an_interval_over_replicates_by_hand():
    # Mean 4, SD 2, n 4, t(0.975, 3) = 3.18245: 4 -+ 3.18245.
    found = estimate(np.array([2.0, 4.0, 4.0, 6.0]))
    half = 3.182446 * np.std([2, 4, 4, 6], ddof=1) / 2

    assert (found.mean, found.low, found.high) == pytest.approx((4.0, 4 - half, 4 + half))
    assert not estimate(np.array([3.0])).has_interval


def test_the_summary_gives_the_answer_and_says_how_sure(results):
    from rich.console import Console  # noqa: PLC0415

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(summary(results))
    words = " ".join(console.export_text().split())

    monthly = results.monthly[results.monthly["scenario"] == "status_quo"]
    by_run = monthly.groupby("run")[["in_crisis", "adults"]].sum()
    share = 100 * (by_run["in_crisis"] / by_run["adults"]).mean()
    assert f"Adults in crisis: {share:.1f} (" in words
    assert "95 % intervals" in words
    assert "1,000 simulated residents represent the 40,000 of Sandbeck, an invented town" in words


def test_a_corrupt_table_is_refused(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    (copy / "runs.parquet").write_bytes(b"PAR1 torn")

    with pytest.raises(ResultsError, match=r"runs\.parquet"):
        _ = Results(copy).runs


def test_another_table_in_its_place_is_refused(folder, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.copy(copy / "people.parquet", copy / "monthly.parquet")

    with pytest.raises(ResultsError, match=r"monthly\.parquet: is damaged, or not of these results"):
        _ = Results(copy).monthly


def test_a_misspelt_table_gets_the_nearest_name(results):
    with pytest.raises(AttributeError, match=r"Results has no attribute 'montly'\. Did you mean 'monthly'\?"):
        _ = results.montly
    assert not hasattr(results, "_repr_html_")


def test_results_say_what_they_are(results):
    assert repr(results) == f"<Results {results.folder}: status_quo, helped; 8 runs, finished>"


def test_lives_and_the_appraisal_are_tables_like_others(config, helped, tmp_path):
    small = [one.model_copy(update={"population": 300, "replicates": 2}) for one in (config, helped)]
    found = run_campaign(small[1:], tmp_path / "out", comparator=small[0]).results

    assert set(DIMENSIONS) <= set(found.lives.columns)
    assert len(found.lives) == sum(len(found.lives_of(run)) for run in found.runs["run"])
    with pytest.raises(ResultsError, match=r"out: has not been appraised\. Allowed: upstream appraise .*out"):
        _ = found.appraisal
    write_appraisal(appraise(found), found.folder)
    assert set(found.appraisal["scenario"]) == {"helped"}
    assert {"measure", "value", "unit"} <= set(found.appraisal.columns)


def test_no_service_at_all_leaves_an_empty_table(config, tmp_path):
    bare = config.model_copy(update={"services": [], "replicates": 2})
    results = run_campaign([bare], tmp_path / "out").results

    assert len(results.services) == 0
    assert set(results.ledger["kind"]) == {"usual"}
    assert len(results.monthly) > 0


@pytest.mark.slow
def test_a_title_with_signs_of_mathematics_is_drawn(config, tmp_path):
    odd = config.model_copy(update={"title": r"Costs $x_{ and \frac", "replicates": 2})
    results = run_campaign([odd], tmp_path / "out").results

    assert [path.name for path in draw_overviews(results)] == ["overview.png"]
    assert (tmp_path / "out" / "overview.svg").stat().st_size > 1_000


@pytest.mark.slow
@pytest.mark.parametrize("update", [{"population": 3}, {"replicates": 1}, {"services": []}])
def test_the_smallest_campaigns_are_drawn_and_summed_up(config, tmp_path, update):
    results = run_campaign([config.model_copy(update={**update})], tmp_path / "out").results

    draw_overviews(results)
    assert summary(results)


def test_nothing_is_stored_as_null_and_never_as_a_number_that_is_none(tmp_path):
    """In a sample of 20, most of Wigan's 40 neighbourhoods have nobody; DuckDB and pandas average NaN differently."""
    update = {"population": 20, "years": 1, "burn_in_years": 0, "replicates": 1}
    config = load_scenario("people_powered_shift").model_copy(update=update)
    folder = run_campaign([config], tmp_path / "out", lives=True).folder
    empty = set()
    for path in folder.glob("*.parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            column = table[name]
            if pa.types.is_floating(column.type):
                assert not pc.any(pc.is_nan(column)).as_py(), (path.stem, name)
            empty |= {(path.stem, name)} if column.null_count else set()

    assert empty == {
        ("programmes", "mean_fit"),
        *(("monthly", name) for name in ("life_satisfaction", "ties_kin", "ties_local", "ties_peer")),
    }
