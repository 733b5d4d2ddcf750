"""Where kopf is, and only here: an event of a watched object becomes a key in the queue, nothing else."""
