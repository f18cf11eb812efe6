"""How commands are declared, parsed, permitted and answered."""
