"""What holds for all tests."""

import os

from hypothesis import settings

# No deadline: how long an example takes says more of the machine than of the code. On CI the same examples each time,
# so that a red run is about the change; everywhere else new ones, so that more is found the longer one works.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")
