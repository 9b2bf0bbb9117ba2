"""One self-contained HTML report per run, and the tables a terminal shows."""
