"""LndNode: one Lightning node, one identity, one writer."""
