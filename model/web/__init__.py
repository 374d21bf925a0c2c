"""What pages share: the server that shows them."""
