"""How the model of names is made: corpora, written texts, training, measuring. Not a part of the package."""
