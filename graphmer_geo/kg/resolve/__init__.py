"""From the facts of many files to linked files: one package per language."""
