//! Checkpoints in safetensors files: named tensors and metadata, written atomically, read by memory map.
