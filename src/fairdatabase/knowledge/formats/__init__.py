"""What is made of a document for people to read."""
