"""What result tables say: estimates, paired differences, appraisal. No run is needed."""
