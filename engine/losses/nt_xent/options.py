"""NT-Xent over 2N views (Eq. 14): announcement, without torch."""

from __future__ import annotations

from engine.registry import register

register(
    "contrastive_loss",
    "nt_xent",
    label="NT-Xent",
    help="Each view must find its partner among the other 2N − 1 views (Eq. 14).",
    target="engine.losses.nt_xent.loss:NTXent",
)
