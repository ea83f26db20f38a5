"""What a reviewer sees of a policy: its report, its rules on trial, what a change of it would do to real requests."""
