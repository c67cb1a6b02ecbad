"""Resolvers of others that the graph is compared with on real code."""
