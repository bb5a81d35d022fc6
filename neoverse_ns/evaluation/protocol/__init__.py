"""What a figure was measured by: ids, versioned aliases, and rules that say which frames are given and judged."""
