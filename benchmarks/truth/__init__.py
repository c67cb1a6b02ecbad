"""Ground truth that others wrote: one module per format, all scored on the same view of a knowledge graph."""
