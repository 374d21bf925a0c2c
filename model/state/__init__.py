"""The state of a place: residents, households, queues, the ledger, what is recorded."""
