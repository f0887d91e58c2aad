"""What all tests share."""

from hypothesis import settings

settings.register_profile("kilokai", deadline=None)  # a duration says something of the machine
settings.load_profile("kilokai")
