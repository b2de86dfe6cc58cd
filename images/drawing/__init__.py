"""The six diagrams of the course, a file each, and the canvas that they are drawn on."""
