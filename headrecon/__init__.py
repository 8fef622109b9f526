"""A 3D head of a person from a pile of ordinary photos.

The shapes in every signature of this package are checked when it is called, but for the insides of
some loops, where that would take longer than what is done (`no_type_check`); see
docs/conventions.md for the frames, signs and units that they are given in.
"""

from jaxtyping import install_import_hook

__version__ = "0.1.0"

# The hook has to be installed before any submodule is imported, and stays installed.
install_import_hook("headrecon", "beartype.beartype")
