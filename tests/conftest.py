"""What holds for every test."""

from hypothesis import settings

# A test that is right stays right on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
