"""Steps and what all steps are made of: the runner, managed files, templates, secrets, generic steps."""
