"""Videos by themselves, with the camera paths that they were made along, where those lie beside them."""
