"""The ZCU104 protocol over TCP."""
