"""What a barcode is worth: matched null models, p-values and the verdict on loops."""
