"""Access tokens: files by which DCOR-Aid and dclab know a server, trust its certificate, and sign in."""
