"""Work that outlives a request: a durable queue, progress, retries."""
