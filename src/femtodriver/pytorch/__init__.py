"""PyTorch modules as models: converted, quantized and traced by fmot. torch is loaded in this room only."""
