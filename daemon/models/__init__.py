"""The models of a store: kept, judged, chosen and switched."""
