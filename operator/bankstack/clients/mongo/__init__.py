"""MongoDB, asked member by member: `client` asks, `answers` are what comes back."""
