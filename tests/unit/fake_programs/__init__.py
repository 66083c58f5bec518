"""Fakes of the programs that dcor-server runs. Each keeps a state, and refuses each call that it does not know."""
