"""Protocols on MPI Sintel: cameras of fourteen sequences, depth of all."""

from __future__ import annotations

from neoverse_ns.evaluation.data.sintel.layout import FOURTEEN
from neoverse_ns.evaluation.protocol.positions import Span
from neoverse_ns.evaluation.protocol.protocol import Protocol
from neoverse_ns.evaluation.protocol.published import Published
from neoverse_ns.evaluation.protocol.rules_given import Given
from neoverse_ns.evaluation.protocol.tables import CAMERA_METRICS, DEPTH_METRICS, OMEGA_PAPER, SAMPLED, cameras, depth

ALL = Given(Span())
"""All frames, 20 to 50 of a sequence."""

PROTOCOLS = (
    Protocol(
        alias="sintel14@1",
        kind="cameras",
        data="sintel",
        label="sintel-14",
        scenes=FOURTEEN,
        frames=ALL.label,
        rule=ALL,
        cameras="none",
        metrics=CAMERA_METRICS,
        note="final pass",
    ),
    Protocol(
        alias="sintel23-depth@1",
        kind="depth",
        data="sintel",
        label="sintel-23",
        scenes=None,
        frames=ALL.label,
        rule=ALL,
        cameras="none",
        metrics=DEPTH_METRICS,
        mask="clip-70",
        tables="scenes by valid pixels",
        note="final pass, all 23 sequences of the training set; depth from 70 m on does not count",
    ),
)


PUBLISHED = (
    Published("sintel14@1", "MonST3R", cameras(0.111, 0.044, 0.869), "MonST3R"),
    Published("sintel14@1", "CUT3R", cameras(0.213, 0.066, 0.621), "CUT3R"),
    Published("sintel14@1", "VGGT", cameras(0.169, 0.064, 0.474), "pi3"),
    Published("sintel14@1", "pi3", cameras(0.074, 0.040, 0.282), "pi3"),
    Published("sintel14@1", "V-DPM", cameras(0.105, 0.048, 0.67), "V-DPM"),
    Published("", "MegaSaM", {"ate": 0.023}, "MegaSaM", "sintel14@1", "its own scaling; 0.018 where K is given"),
    *(
        Published("", method, {"auc3": percent / 100}, OMEGA_PAPER, "sintel14@1", SAMPLED)
        for method, percent in (("VGGT-Omega", 35.3), ("DA3", 16.2), ("MegaSaM", 22.5), ("MonST3R", 4.3))
    ),
    Published("sintel23-depth@1", "MonST3R", depth(0.378, 55.8), "MonST3R"),
    Published("sintel23-depth@1", "CUT3R", depth(0.421, 47.9), "CUT3R"),
    Published("sintel23-depth@1", "pi3", depth(0.210, 72.6), "pi3"),
    Published("sintel23-depth@1", "V-DPM", depth(0.247, 69.4), "V-DPM"),
)
