"""Build Pebble, the ACME server that Let's Encrypt made for tests, from its pinned version."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from dcor_dev import cache
from dcor_dev.errors import DevError

MODULE, VERSION = "github.com/letsencrypt/pebble/v2/cmd/pebble", "v2.10.3"
#: where Go's own packages unpack it
GO = "/usr/local/go/bin/go"


def directory() -> Path:
    """Return a directory that holds the program `pebble`, which needs no library. Raises DevError."""
    return cache.directory("programs", f"pebble-{cache.key(MODULE, VERSION)}", _build)


def _build(target: Path) -> None:
    go = shutil.which("go") or shutil.which(GO)
    if go is None:
        raise DevError("Pebble is built with Go 1.21 or newer, which is not installed: https://go.dev/dl")
    # The sums of all modules are compared with those of a public log (go.dev/ref/mod, "Checksum database").
    settings = {"GOBIN": str(target), "GOFLAGS": "-mod=mod", "CGO_ENABLED": "0"}
    done = subprocess.run(
        [go, "install", f"{MODULE}@{VERSION}"],
        env={**os.environ, **settings},
        cwd=target,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DevError(f"Pebble {VERSION} cannot be built:\n{done.stderr[-4000:]}")
