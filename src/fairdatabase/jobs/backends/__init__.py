"""How workers are told that a job waits: through Huey, or in memory."""
