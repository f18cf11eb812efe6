"""Comments that make a careless parser slow."""

LONGEST_COMMENT = 65_536


HOSTILE_COMMENTS = {
    "quotations": ">" * LONGEST_COMMENT,
    "brackets": "[" * LONGEST_COMMENT,
    "links": "[a](" * LONGEST_COMMENT,
    "nested links": "[a" * 12_000 + "](b)" * 8_000,
    "pictures": "![" * 16_000,
    "emphasis": "*a_" * LONGEST_COMMENT,
    "strikethrough": "~~a" * LONGEST_COMMENT,
    "code spans": "".join("`" * n + "a" for n in range(1, 360)),
    "angle brackets": "<" * LONGEST_COMMENT,
    "comments in blocks": "<!--" * LONGEST_COMMENT,
    "comments in text": "a<!--" * LONGEST_COMMENT,
    "tags": "<b>" * LONGEST_COMMENT,
    "tags and ends": "<b>" * 9_000 + "</x>" * 8_000,
    "tags begun": "<div\n\n" * LONGEST_COMMENT,
    "details begun": "<details\n\n" * LONGEST_COMMENT,
    "attributes begun": "<p a=\n\n" * LONGEST_COMMENT,
    "attributes": "<a " + "b " * LONGEST_COMMENT,
    "attributes over lines": '/x\n<a b="' * LONGEST_COMMENT,
    "scripts": "<script>\n\n" * LONGEST_COMMENT,
    "entities": "&amp" * LONGEST_COMMENT,
    "backslashes": "\\" * LONGEST_COMMENT,
    "lists": "- " * LONGEST_COMMENT,
    "lists in lists": "\n".join(" " * n + "- a" for n in range(350)),
    "pipes": "|" * LONGEST_COMMENT,
    "a long table": "|a\n|-\n" + "/a|\n" * LONGEST_COMMENT,
    "empty lines": "\n" * LONGEST_COMMENT,
    "commands": "/sprint status\n" * LONGEST_COMMENT,
    "short commands": "/a\n" * LONGEST_COMMENT,
    "lazy quotations": "> a\n" + "/a\n" * LONGEST_COMMENT,
    "references": "[a]: b\n" * LONGEST_COMMENT,
}
