"""How objects are printed; `choose.printer` picks one from the output flags."""
