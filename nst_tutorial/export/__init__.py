"""Networks for other programs: a painter in a browser, on a telephone, in C++."""

from .graphs import Graph, graph_of
from .onnx_file import TOLERANCE, check_export, export_onnx, largest_difference

__all__ = ["TOLERANCE", "Graph", "check_export", "export_onnx", "graph_of", "largest_difference"]
