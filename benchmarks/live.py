"""Live years of one world as asked on standard input, and print the processor time of each month.

    python benchmarks/live.py SCENARIO RESIDENTS

Every line read is a number of years; every line printed is a list of seconds. `gate.py` runs this with the model of two
revisions in turn, so it uses nothing of the model but its public face.
"""

import json
import sys

from timing import MONTHS_PER_YEAR, seconds_of, world_of


def main() -> None:
    """Make the world, say so, and live what is asked for."""
    scenario, residents = sys.argv[1], int(sys.argv[2])
    world = world_of(scenario, residents)
    while world.month % MONTHS_PER_YEAR:
        world.step()
    print(json.dumps([]), flush=True)
    for line in sys.stdin:
        months = int(line) * MONTHS_PER_YEAR
        print(json.dumps([seconds_of(world.step) for _ in range(months)]), flush=True)


if __name__ == "__main__":
    main()
