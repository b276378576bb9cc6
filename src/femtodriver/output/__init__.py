"""What is written to disk and told to people: the model's folder, comparisons, pictures, summaries."""
