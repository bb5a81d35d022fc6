"""Views of frames that a method was not given: what it is asked, what it may read, how its pictures are measured."""
