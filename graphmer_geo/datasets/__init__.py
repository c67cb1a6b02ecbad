"""Datasets by recipe: code that anyone can fetch again, cleaned and split by project."""

from graphmer_geo.datasets.build import BuiltDataset, build_dataset
from graphmer_geo.datasets.code_kg import CodeKGDataset
from graphmer_geo.datasets.corpus import Corpus, fetch_corpus
from graphmer_geo.datasets.loader import chain_loader
from graphmer_geo.datasets.recipe import Recipe, load_recipe, recipe_names

__all__ = [
    "BuiltDataset",
    "CodeKGDataset",
    "Corpus",
    "Recipe",
    "build_dataset",
    "chain_loader",
    "fetch_corpus",
    "load_recipe",
    "recipe_names",
]
