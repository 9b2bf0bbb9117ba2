"""Feast's definitions, described in a child process, judged, and compiled to the rules of retrieval."""
