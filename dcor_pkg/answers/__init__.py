"""What the admin wants: settings, their validation, the questions that ask for them. Standard library only."""
