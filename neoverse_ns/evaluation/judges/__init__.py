"""One scene under one protocol, measured: a file per kind of question."""
