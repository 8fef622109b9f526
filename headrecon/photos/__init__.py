"""From the files of a folder to portraits: the face, its fiducials and pose, and the person."""
