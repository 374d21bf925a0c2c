"""Constants that need no kernels: reading results loads none.

Examples
--------
>>> 30 * MONTHS_PER_YEAR
360
"""

MONTHS_PER_YEAR = 12

HIGHEST_SEED = 2**63 - 1
"""Of a world's random draws."""
