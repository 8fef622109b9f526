"""From the files of a folder to portraits: gather, decode, find the face, its pose and the person."""
