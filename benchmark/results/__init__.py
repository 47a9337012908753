"""What is known of finished runs; nothing here needs torch."""
