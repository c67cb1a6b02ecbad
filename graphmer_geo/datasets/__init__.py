"""Datasets by recipe: code that anyone can fetch again, cleaned and split by project."""

from graphmer_geo.datasets.code_kg import CodeKGDataset
from graphmer_geo.datasets.corpus import Corpus, fetch_corpus
from graphmer_geo.datasets.loader import chain_loader
from graphmer_geo.datasets.recipe import Recipe, load_recipe, recipe_names

__all__ = [
    "CodeKGDataset",
    "Corpus",
    "Recipe",
    "chain_loader",
    "fetch_corpus",
    "load_recipe",
    "recipe_names",
]
