"""What an evaluation would do, before anything is computed."""
