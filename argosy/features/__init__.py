"""Features and time: definitions compiled from Feast, and point-in-time retrieval under a time to live."""
