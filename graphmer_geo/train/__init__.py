"""Training: candidates, the batch stream, the trainer and the run folder it writes."""
