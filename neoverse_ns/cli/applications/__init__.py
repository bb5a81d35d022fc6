"""A command per application, which only parses, calls and says what was done."""
