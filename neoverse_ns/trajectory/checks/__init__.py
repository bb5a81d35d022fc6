"""What is wrong with a camera path, frame by frame: jumps, collisions, and looking where nothing was seen."""
