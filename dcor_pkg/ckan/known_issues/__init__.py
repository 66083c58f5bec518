"""Known issues: faults of upstream's code that each new release is cured of, one file for each issue."""
