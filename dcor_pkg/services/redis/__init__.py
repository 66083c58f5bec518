"""Redis: local set-up, and the probe of an external one."""
