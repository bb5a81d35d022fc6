"""Published or own weights: found on this machine or on the hub, checked, read without copies, put into a module."""
