"""What each command does between its parsed arguments and what it prints: one module per command or pair."""
