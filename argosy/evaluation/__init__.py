"""Judge a candidate model: metrics, comparison with the champion, model tests, latency, gates."""
