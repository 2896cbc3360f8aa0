"""What the documents of the API show: calls against a real server, and what was sent and answered.

Each module is a story: `tell(book, stage)` makes calls with `book.show`, on a server with the module's
`SETTINGS`. `make examples` writes what they show into `handlers/schemas/examples/<story>.json`.
"""
