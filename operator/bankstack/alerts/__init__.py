"""What Alertmanager posts becomes ChangePlans: an edge, which decides nothing beyond the allow-list."""
