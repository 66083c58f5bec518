"""TLS: the certificate that nginx serves, and the authorities that programs of this server trust."""
