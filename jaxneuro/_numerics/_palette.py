"""The colours of every figure."""

# Told from their neighbours with any kind of colour vision, and in grey: the blue prints dark, the orange light.
COLOURS = ("#0b559f", "#e2703a", "#1f7a5c", "#8f5fb0", "#6b4a22")
KIND_COLOURS = {"E": COLOURS[0], "I": COLOURS[1]}
