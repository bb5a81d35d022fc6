"""Whether a data set's cameras, depth and motion agree with its pictures, and what is wrong where they do not."""
