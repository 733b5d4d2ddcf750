"""LND: its gRPC interface, as typed answers."""
