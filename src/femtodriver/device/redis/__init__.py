"""The redis protocol: the link, the simulator's side, and the server between them."""
