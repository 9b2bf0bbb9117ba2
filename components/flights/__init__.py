"""Data code that only the flights use case knows."""
