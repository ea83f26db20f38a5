"""What a text holds, and what stands in its place: rules at work on texts, and on the JSON in them."""
