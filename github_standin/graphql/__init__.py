"""GitHub's GraphQL API, answered from the history by GitHub's own schema."""
