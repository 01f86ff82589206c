"""A run from its configuration to its results: trained, measured, asked, compared."""
