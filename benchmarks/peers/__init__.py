"""The same work in other frameworks; the scripts run in environments of their own."""
