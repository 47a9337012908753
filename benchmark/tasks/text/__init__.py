"""The text modality: data, codec, generators, evaluators, verifiers, tasks."""
