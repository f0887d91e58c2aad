"""The gumiho networks, from layers to the two methods, and the latent mixture."""
