"""What is printed and drawn where less was asked for, and that several plans share what holds for all."""

import shlex

import pytest

from model.campaign.campaign import run_campaign
from model.cli import main
from model.inputs.scenario import load_scenario


@pytest.fixture(scope="module")
def folder(town, tmp_path_factory):
    base = town.model_copy(update={"population": 300, "years": 2, "replicates": 2})
    siloed = load_scenario("shift_siloed").model_copy(
        update={"place": "sandbeck", "population": 300, "years": 2, "burn_in_years": 0, "replicates": 2}
    )
    update = {"budgets": siloed.budgets, "growth": siloed.growth}
    plans = [
        base.model_copy(update={**update, "name": f"plan_{n}", "levers": {"worsen_hazard_ratio": 1 - n / 10}})
        for n in (1, 2)
    ]
    folder = tmp_path_factory.mktemp("a") / "out"
    return run_campaign(plans, folder, 1, comparator=base.model_copy(update=update), test=False).folder


def printed_by(words, capsys):
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_quiet_prints_the_folder_alone_and_no_figures_draws_none(folder, capsys):
    assert printed_by(["show", str(folder), "--quiet", "--no-figures"], capsys) == f"{folder}\n"
    assert not list(folder.glob("*.svg"))

    assert "Figure" not in printed_by(["show", str(folder), "--each", "--no-figures"], capsys)
    assert not list(folder.glob("*.svg"))


def test_a_run_may_be_quiet(tmp_path, capsys):
    out = tmp_path / "out"
    tiny = shlex.split("--place sandbeck --population 200 --years 1 --replicates 1 --set burn_in_years=0 --jobs 1")
    found = printed_by(["run", "status_quo", *tiny, "--out", str(out), "--quiet", "--no-figures"], capsys)

    assert found == f"{out}\n"
    assert (out / "runs.parquet").exists()
    assert not list(out.glob("*.svg"))


def test_what_holds_for_all_plans_is_printed_once(folder, capsys):
    words = " ".join(printed_by(["show", str(folder), "--each", "--no-figures"], capsys).split())

    assert words.count("compared with") >= 2
    assert words.count("are never added together") == 1
    assert words.count("planned for prevention over") == 3  # two plans and the comparator they share
