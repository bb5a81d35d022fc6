"""Where the cameras of judged frames stand in the world of a reconstruction."""
