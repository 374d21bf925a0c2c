"""The steps of a month: each calls a rule and applies its result."""
