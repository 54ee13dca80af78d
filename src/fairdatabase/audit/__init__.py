"""What happened, who did it and when: a chain of records that cannot be changed unnoticed."""
