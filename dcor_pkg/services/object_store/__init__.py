"""The object store (S3): local set-up, and the probe of an external one."""
