"""The names under which plan.py imports parts of this room, until it calls tls.steps."""

from dcor_pkg.tls.pair import PAIRS
from dcor_pkg.tls.trust_bundle import BUNDLE, TrustBundle

__all__ = ["BUNDLE", "PAIRS", "TrustBundle"]
