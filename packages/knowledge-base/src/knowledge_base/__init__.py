"""Documentation and code examples that people and AI agents can search and cite."""
