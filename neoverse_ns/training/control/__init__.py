"""Training the control branch on ordinary clips (NeoVerse, section 3.3): pairs made online, Wan left as it is."""
