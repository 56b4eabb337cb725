"""What the API takes in and gives out. Input is strict and cleaned; output is made from loaded rows by `of`."""
