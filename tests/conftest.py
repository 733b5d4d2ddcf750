"""How many cases: `ci` the same few each time, `soak` many new ones (`SIMULATION=all`)."""

import os

from hypothesis import HealthCheck, settings

SLOW = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example)
settings.register_profile(
    "ci", derandomize=True, max_examples=80, deadline=None, database=None, suppress_health_check=SLOW
)
settings.register_profile("soak", max_examples=4000, deadline=None, suppress_health_check=SLOW)
settings.load_profile("soak" if os.environ.get("SIMULATION") == "all" else "ci")
