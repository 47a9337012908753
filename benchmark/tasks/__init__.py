"""Everything a task is made of; a modality is a folder."""
