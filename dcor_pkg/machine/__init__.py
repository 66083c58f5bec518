"""The only way to the machine: files, programs, locks, facts."""
