"""Which Gaussians of a scene are meant, found from pixels."""
