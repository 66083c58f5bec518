"""The toolkit of dcor-server: one ordered plan of small idempotent steps, run by one function."""
