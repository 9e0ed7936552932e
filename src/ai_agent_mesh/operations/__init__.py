"""What watches the product and answers for it."""
