"""What a network is: graphs, safe loading, operators, reference meaning."""
