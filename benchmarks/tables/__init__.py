"""Result files as Markdown tables, one module per family of results."""
