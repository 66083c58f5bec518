"""Refuse to change a release: there, this module has the place of those of pip's commands that would.

pip imports the module of a command when it is given (pip/_internal/commands/__init__.py, create_command).
"""

raise SystemExit(
    "pip: this is a release of dcor-server, which never changes. Other versions come with the package dcor-wheels; "
    "to develop, build it from the source of dcor-server (scripts/lock, scripts/build). "
    "For programs of your own: python3 -m venv DIRECTORY"
)
