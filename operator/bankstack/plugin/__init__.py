"""`kubectl bank`: how a bank stands, why something is not ready, and its plans, for the people who run it.

The operator never imports this room. What is said is made by pure functions from what was
read; only `access`, `commands` and `__main__` open, ask and print.
"""
