"""A pytest plugin for mutation testing: the first failing example is enough, always the same."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "mutation",
    phases=(Phase.explicit, Phase.generate),
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no mutant that was noticed
)
settings.load_profile("mutation")
