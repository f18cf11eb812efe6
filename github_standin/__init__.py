"""A stand-in for GitHub on this machine: REST, GraphQL and webhooks for the demo, tests and benchmarks."""
