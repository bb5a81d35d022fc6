"""What is measured over and over as one thing changes."""
