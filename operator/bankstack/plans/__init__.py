"""Operations as objects: who asked for what, who agreed, what was done (see docs/changeplan.md)."""
