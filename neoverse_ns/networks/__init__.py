"""Feed-forward networks as libraries, importable without the rest."""
