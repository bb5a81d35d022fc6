"""DyCheck's iPhone scenes, as published and as Shape of Motion processed them."""
