"""A real Kubernetes for bankstack's stories, with regions that can be cut off.

Where images can be pulled this is a thin layer over `kind`; where they cannot,
the same images are built from package registries under the same names. From
there on nothing may depend on which of the two it was.

The rooms: `cli` → (`preflight`, `engine`, `supply`, `cluster`) → `run`. Pure,
and kept so by import-linter: `versions`, `catalog`, `kindconfig`, `partition`,
`sandbox`, `regions`.
"""
