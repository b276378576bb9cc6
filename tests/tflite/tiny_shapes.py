"""Networks of the shapes of MLPerf Tiny, with random weights: what they cost does not depend on what they know."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from tests.tflite.growing_net import RELU, SAME, Carried, GrowingNet
from tests.tflite.tflite_writer import write

ZERO_POINT = -128


def autoencoder(net: GrowingNet) -> tuple[Carried, Carried]:
    """Anomaly detection: 640 values, fully connected layers of 128, 8 in the middle."""
    given = value = net.input([1, 640])
    for width in (128, 128, 128, 128, 8, 128, 128, 128, 128):
        value = net.fully_connected(value, width, RELU)
    return given, net.fully_connected(value, 640)


def keyword_spotter(net: GrowingNet) -> tuple[Carried, Carried]:
    """DS-CNN: 49 x 10 features, 64 channels, 12 words."""
    given = net.input([1, 49, 10, 1])
    value = net.convolution(given, (10, 4), 64, strides=(2, 2), padding=SAME, activation=RELU)
    for _ in range(4):
        value = net.depthwise(value, (3, 3), activation=RELU)
        value = net.convolution(value, (1, 1), 64, activation=RELU)
    value = net.pool("AVERAGE_POOL_2D", value, (value.shape[1], value.shape[2]))
    return given, _classes(net, value, 12)


def image_classifier(net: GrowingNet) -> tuple[Carried, Carried]:
    """ResNet8: 32 x 32 x 3, three blocks of 16, 32 and 64 channels, 10 classes."""
    given = net.input([1, 32, 32, 3], 1 / 128, 0)
    value = net.convolution(given, (3, 3), 16, activation=RELU)
    for channels, stride in ((16, 1), (32, 2), (64, 2)):
        way = net.convolution(value, (3, 3), channels, strides=(stride, stride), activation=RELU)
        way = net.convolution(way, (3, 3), channels)
        short = value if stride == 1 else net.convolution(value, (1, 1), channels, strides=(stride, stride))
        value = net.pair("ADD", short, way, RELU)
    value = net.pool("AVERAGE_POOL_2D", value, (value.shape[1], value.shape[2]))
    return given, _classes(net, value, 10)


def person_detector(net: GrowingNet, side: int = 96) -> tuple[Carried, Carried]:
    """MobileNetV1 of a quarter of the width: 96 x 96 x 3, thirteen separable layers, 2 classes."""
    given = net.input([1, side, side, 3], 1 / 128, 0)
    value = net.convolution(given, (3, 3), 8, strides=(2, 2), activation=RELU)
    rest = [(128, 1)] * 5
    for channels, stride in ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *rest, (256, 2), (256, 1)):
        value = net.depthwise(value, (3, 3), strides=(stride, stride), activation=RELU)
        value = net.convolution(value, (1, 1), channels, activation=RELU)
    value = net.pool("AVERAGE_POOL_2D", value, (value.shape[1], value.shape[2]))
    return given, _classes(net, value, 2)


def _classes(net: GrowingNet, value: Carried, count: int) -> Carried:
    return net.single("SOFTMAX", net.fully_connected(value, count), 1 / 256, ZERO_POINT, beta=1.0)


Shape = Callable[[GrowingNet], tuple[Carried, Carried]]
TINY_SHAPES: Mapping[str, Shape] = {
    "autoencoder": autoencoder,
    "keyword_spotter": keyword_spotter,
    "image_classifier": image_classifier,
    "person_detector": person_detector,
}


def tiny_model(shape: Shape, seed: int = 0) -> bytes:
    """The file."""
    net = GrowingNet(np.random.default_rng(seed))
    given, result = shape(net)
    return write(net.model([given], [result]))
