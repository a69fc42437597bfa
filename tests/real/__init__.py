"""The real parts plays are made of: servers, phones and the product's own processes."""
