"""Everything a task is made of; a modality is a folder, pairs are two: numerals and icons."""
