"""REST endpoints that emulate lacks or answers differently from GitHub, one module for each."""
