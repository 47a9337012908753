"""The modality of pairs: pictures of numbers, with captions."""
