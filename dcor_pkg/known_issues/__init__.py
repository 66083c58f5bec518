"""Every known issue as data: what it looks like, what it costs, how it is found and cured, and which test shows it."""
