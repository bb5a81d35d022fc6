"""Tests, laid out as the package is; a regular package, because other distributions install one of this name too."""
