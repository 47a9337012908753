"""What tasks take from the Hugging Face Hub: pinned repositories, local copies, prefetching."""
