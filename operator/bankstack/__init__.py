"""bankstack: a Kubernetes operator that runs a Lightning bank and shows proof of what it did."""
