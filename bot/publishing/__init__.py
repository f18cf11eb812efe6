"""Writing to GitHub: replies, sticky posts, pictures, release notes and the changes of commands."""
