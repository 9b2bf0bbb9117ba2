"""What the server served, joined again offline, cell by cell."""
