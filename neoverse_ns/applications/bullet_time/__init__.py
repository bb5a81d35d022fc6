"""Time stands still while the camera moves on."""
