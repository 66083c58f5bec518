"""What an admin asks for by name: a module for each verb."""
