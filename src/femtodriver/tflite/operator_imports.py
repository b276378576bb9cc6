"""How each operator becomes nodes of our network: one row each.

A function gets the operator, which ``check_graphs`` has accepted, and adds to the network in the making: it takes
``net.value(op, tensor)`` for each input, and gives each output with ``net.node`` or ``net.same_value``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from femtodriver.tflite.arithmetic_imports import addition, multiplication, rectified
from femtodriver.tflite.checked_operator import CheckedOperator
from femtodriver.tflite.mean_imports import mean
from femtodriver.tflite.movement_imports import concatenation, pad, reshape, split, strided_slice
from femtodriver.tflite.network_in_making import NetworkInMaking
from femtodriver.tflite.picture_imports import average_pool, max_pool
from femtodriver.tflite.softmax_imports import softmax
from femtodriver.tflite.state_imports import assign_variable, call_once, read_variable, var_handle
from femtodriver.tflite.value_imports import dequantize, logistic, quantize, tanh
from femtodriver.tflite.weighted_imports import convolution, depthwise_convolution, fully_connected

OperatorImport = Callable[[CheckedOperator, NetworkInMaking], None]
"""UnsupportedError for an operator that means something, but has no place in our networks yet."""

OPERATOR_IMPORTS: Mapping[str, OperatorImport] = {
    "ADD": addition,
    "ASSIGN_VARIABLE": assign_variable,
    "AVERAGE_POOL_2D": average_pool,
    "CALL_ONCE": call_once,
    "CONCATENATION": concatenation,
    "CONV_2D": convolution,
    "DEPTHWISE_CONV_2D": depthwise_convolution,
    "DEQUANTIZE": dequantize,
    "FULLY_CONNECTED": fully_connected,
    "LOGISTIC": logistic,
    "MAX_POOL_2D": max_pool,
    "MEAN": mean,
    "MUL": multiplication,
    "PAD": pad,
    "QUANTIZE": quantize,
    "READ_VARIABLE": read_variable,
    "RELU": rectified,
    "RELU6": rectified,
    "RESHAPE": reshape,
    "SOFTMAX": softmax,
    "SPLIT": split,
    "SPLIT_V": split,
    "STRIDED_SLICE": strided_slice,
    "SUB": addition,
    "TANH": tanh,
    "VAR_HANDLE": var_handle,
}
