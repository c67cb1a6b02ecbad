"""Binding the names of Java files by the rules of the language."""
