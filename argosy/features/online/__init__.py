"""The online store: the newest row of each entity, read under the TTL rule. No Feast is imported to use it."""
