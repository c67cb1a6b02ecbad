"""How fast layers, encoder and data pipeline are, one module per group of questions."""
