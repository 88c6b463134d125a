"""The colours of every figure."""

# Told from their neighbours with any kind of colour vision, and in grey: the blue prints dark, the orange light.
COLOURS = ("#0b559f", "#e2703a", "#34bb89", "#927092", "#753318")
KIND_COLOURS = {"E": COLOURS[0], "I": COLOURS[1]}
