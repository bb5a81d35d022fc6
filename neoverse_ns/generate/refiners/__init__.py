"""What finishes drawings, one folder or file a variant."""
