"""The loop, the same for every kind. It knows no kind; `__main__` hands it a table of them."""
