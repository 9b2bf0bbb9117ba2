"""Features as of each request, joined from the events of their views, and how much of them there is."""
