"""One module a channel; `base` is what they share: credentials, limits, order, close codes."""
