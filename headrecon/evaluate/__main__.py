"""python -m headrecon.evaluate: the command is `headrecon.protocol`."""

from headrecon.protocol import main

main()
