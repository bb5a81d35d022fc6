"""Terms of the reconstructor's loss, one module each, of one clip at a time."""
