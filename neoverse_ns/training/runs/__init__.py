"""What every training run does the same way: processes, checkpoints, figures, and what to do when numbers go wrong."""
