"""What a reconstruction is worth, in millimetres and in grey levels."""
