"""One HTML page that plays a scene in a browser, with nothing beside it and no network."""
