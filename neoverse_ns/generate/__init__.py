"""From drawings with holes and flaws to finished frames: conditions, degradation simulation and refiners."""
