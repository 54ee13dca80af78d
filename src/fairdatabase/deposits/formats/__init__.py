"""Records as the fields of a form, and back: what the steps of the wizard send."""
