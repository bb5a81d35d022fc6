"""What parts of the method are worth: rows that each lack one, beside the row that has all."""
