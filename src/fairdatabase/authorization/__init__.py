"""Who may do what: one matrix that enforcement, documentation and tests are made from."""
