"""Other providers of identities: what they are asked, and what of their answers is believed."""
