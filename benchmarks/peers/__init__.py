"""What a person would otherwise write or pick."""
