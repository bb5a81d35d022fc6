"""The same steps for many clips: killed, stopped or failed at any moment, the next start goes on with what is left."""
