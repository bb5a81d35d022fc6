"""Who is measured: what this package does with a clip, and what others do."""
