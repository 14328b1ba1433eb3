"""What the program remembers between runs, and what users name: places, columns, filters, bookmarks, searches."""
