"""The state of the server: questions to each part, asked side by side, and what is shown of the answers."""
