"""What train.py and its neighbours need: data, checkpoint, pictures."""
