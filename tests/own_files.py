"""A place, a programme and a scenario of one's own, in a folder that tests may edit."""

import os
from pathlib import Path

from model.inputs.places import profiles
from model.inputs.programmes import bundled_programmes
from model.inputs.scenario import Scenario, load_scenario

SCENARIO = """
extends = "status_quo.toml"
name = "mine"
place = "my_town.toml"
population = 300
years = 1
burn_in_years = 0
replicates = 2

[levers]
worsen_hazard_ratio = 0.5

[capacity.mental_health_referral]
rule = "unlimited"

[[plan]]
programme = "my_hub.toml"
budget_gbp_per_year = 200_000
"""


class OwnFiles:
    """A town like Sandbeck and a hub like the community hub, whose files may be edited."""

    def __init__(self, folder: Path) -> None:
        self.scenario, self.place, self.programme = (
            folder / name for name in ("mine.toml", "my_town.toml", "my_hub.toml")
        )
        self.scenario.write_text(SCENARIO, encoding="utf-8")
        self.place.write_bytes(profiles()["sandbeck"].read_bytes())
        self.programme.write_bytes(bundled_programmes()["community_hub"].read_bytes())

    def load(self) -> Scenario:
        """Read the scenario as its files are now."""
        return load_scenario(self.scenario)

    def edit(self, file: Path, old: str, new: str) -> None:
        """Put another text in place of one in a file; its time of change stays."""
        times, text = file.stat(), file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    def spoil(self) -> None:
        """Leave nothing of what the files said."""
        for file in (self.scenario, self.place, self.programme):
            file.write_text("spoilt", encoding="utf-8")

    def delete(self) -> None:
        """Remove the files."""
        for file in (self.scenario, self.place, self.programme):
            file.unlink()
