"""Training pairs from one video: its scene, degraded as views from elsewhere would be, against the frames themselves.

NeoVerse, section 3.2 (arXiv 2601.00393): the scene is reduced to what cameras a little aside could have seen of it,
its depth smeared, and drawn again from the cameras whose frames are known.
"""
