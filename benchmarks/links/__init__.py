"""Parts of the link-prediction benchmark: learned rivals, variants of the encoder, and what seeds say."""
