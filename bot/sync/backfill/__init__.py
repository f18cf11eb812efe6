"""The past of a repository, asked for once."""
