"""The small web framework of the house: what every endpoint shares, and nothing of any resource."""
