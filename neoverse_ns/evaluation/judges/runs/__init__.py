"""Our own clips by the commands that users have, and what is measured of a finished run."""
