"""What can be learnt: each task in one file, from a user's data to scores."""
