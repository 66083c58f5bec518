"""The admin's answers: the settings, their validation, and the questions that ask for them. Standard library only."""
