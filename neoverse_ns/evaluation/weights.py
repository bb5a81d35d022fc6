"""Files of weights that a protocol's metrics need."""

from __future__ import annotations

from neoverse_ns.evaluation.protocol.protocol import Protocol


def metric_weights(protocol: Protocol) -> tuple[dict[str, str], dict[str, str]]:
    """SHA-256 of the files that are used, by metric; and metrics that cannot be measured, with what is missing."""
    return {}, {}
