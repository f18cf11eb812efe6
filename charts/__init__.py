"""Pictures of a sprint's values: PNG, alt text, Mermaid. Nothing here depends on GitHub or a database."""
