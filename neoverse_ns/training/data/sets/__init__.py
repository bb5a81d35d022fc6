"""Layouts that clips with truth come in, one module each."""
