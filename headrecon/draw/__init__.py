"""Pictures of every artifact, and the page that shows them."""
