"""The image modality: data, codecs, generators, evaluators, verifiers, tasks."""
