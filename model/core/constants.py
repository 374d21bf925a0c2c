"""Constants that need no kernels: reading results loads none.

Examples
--------
>>> 30 * MONTHS_PER_YEAR
360
"""

MONTHS_PER_YEAR = 12

HIGHEST_SEED = 2**63 - 1
"""Of a world's random draws."""

MOST_RESIDENTS, MOST_YEARS, MOST_REPLICATES = 100_000_000, 200, 100_000
"""Of a scenario: what is more is a slip, or meant to exhaust a machine."""

MOST_RUNS = 1_000_000
"""Of a study."""
