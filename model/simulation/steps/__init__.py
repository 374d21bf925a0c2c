"""What happens in a month: each step asks a rule and writes its answer down."""
