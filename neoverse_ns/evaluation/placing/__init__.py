"""Where judged cameras stand in a reconstruction's world."""
