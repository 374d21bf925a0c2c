"""Run scenarios in a batch: the same as ``upstream run``."""

import sys

from model.cli import main

if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
