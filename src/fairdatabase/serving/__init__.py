"""The processes of a running instance, and how requests reach the application in them."""
