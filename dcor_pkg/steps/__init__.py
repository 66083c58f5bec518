"""The steps: one file for each thing that is set up."""
