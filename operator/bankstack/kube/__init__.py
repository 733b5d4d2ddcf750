"""The API server as the engine asks it: dicts in, dicts out, every failure with its policy."""
