"""Documentation, code examples and the documents of datasets, to search, read and cite."""
