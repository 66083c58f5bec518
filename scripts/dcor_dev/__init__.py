"""What turns a checkout into packages, repositories and machines to try them on; never installed on a server."""
