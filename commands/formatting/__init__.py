"""Numbers, dates, links, tables and foreign text as Markdown."""
