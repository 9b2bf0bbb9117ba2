"""Feast's own stores under the rule of TTL, for whoever uses Feast itself."""
