"""Pictures of a sprint's values: PNG, alt text, Mermaid. Nothing here knows GitHub or a database."""
