"""Files that data sets of pictures with cameras and depth are made of, read alike for training and for judging."""
