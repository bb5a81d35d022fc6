"""What is added to nerfstudio's viewer."""
