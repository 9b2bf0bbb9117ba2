"""Serve a model: one runtime, under the server, the batch scorer, the stream consumer and the edge."""
