"""The vendor's compiler and simulator, by way of the vendor's public client and its container; docs/femtocrux.md."""
