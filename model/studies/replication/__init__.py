"""Published findings, replicated in the model by the designs of their own studies; see `upstream replicate`."""
