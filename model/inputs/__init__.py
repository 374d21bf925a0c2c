"""What is read before a run: scenarios, places, programmes, parameters, prices."""
