"""Tools for working on the project; nothing of the product imports them."""
