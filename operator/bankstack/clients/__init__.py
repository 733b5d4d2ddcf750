"""One module per outside system: small classes with typed answers and no decisions."""
