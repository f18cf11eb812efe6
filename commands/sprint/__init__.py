"""Commands on a sprint."""
