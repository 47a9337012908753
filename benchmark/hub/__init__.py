"""Speaking with the Hugging Face Hub, both ways: pinned copies here, what is sent there."""
