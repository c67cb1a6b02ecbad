"""Parts of the benchmarks that mask tokens: what kind of token each is, cases of a cloze test, scores."""
