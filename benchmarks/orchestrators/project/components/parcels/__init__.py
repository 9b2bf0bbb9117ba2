"""What is known of parcels: plain functions that no orchestrator is named in."""
