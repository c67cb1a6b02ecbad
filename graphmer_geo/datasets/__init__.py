"""Datasets by recipe: code that anyone can fetch again, cleaned and split by project."""

from graphmer_geo.datasets.corpus import Corpus, fetch_corpus
from graphmer_geo.datasets.recipe import Recipe, load_recipe, recipe_names

__all__ = ["Corpus", "Recipe", "fetch_corpus", "load_recipe", "recipe_names"]
