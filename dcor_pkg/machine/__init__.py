"""The one door to the machine: files, processes, locks, facts."""
