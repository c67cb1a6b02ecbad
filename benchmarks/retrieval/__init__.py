"""Parts of the retrieval benchmarks: rivals, our model and its parts, and what ranks say."""
