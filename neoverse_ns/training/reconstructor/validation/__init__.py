"""How good a network is on clips that it does not learn from: numbers and pictures."""
