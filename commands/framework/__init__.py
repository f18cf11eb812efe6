"""The framework for commands: declaration, parsing, permission and outcome."""
