"""The nouns: frozen values with exact decimals, standard library only, no verbs with effects."""
