"""VBench's dimensions of a video by itself (Huang et al., CVPR 2024), each as a measure that frames are shown to."""
