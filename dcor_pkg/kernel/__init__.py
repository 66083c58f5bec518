"""What the plan is made of: the runner, and steps that are not of one service alone (files, secrets, units)."""
