"""What was found: per scene on disk as soon as it is known, means that say of how many, tables."""
