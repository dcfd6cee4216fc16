"""Writes what ONNX Runtime makes of photos with an image model: `onnxruntime_features.py MODEL PHOTOS OUTPUT`.

Photos are uint8 (n, 64, 64, 3), features float32 (n, F), all outputs of a photo one after the other. Each photo is
computed alone.
"""

import sys

import numpy
import onnxruntime

SIDE = 64
MEAN = numpy.array([0.485, 0.456, 0.406], "float32")
DEVIATION = numpy.array([0.229, 0.224, 0.225], "float32")


def features(path, pixels):
    onnxruntime.set_default_logger_severity(4)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    if entry.type == "tensor(float16)":
        pixels = pixels.astype("float16")
    rows = []
    for photo in pixels:
        parts = [taken(tap.astype("float32")) for tap in session.run(None, {entry.name: photo[None]})]
        rows.append(numpy.concatenate(parts))
    return numpy.stack(rows)


def taken(tap):
    """(1, C) as it is, (1, T, C) its first token, (1, C, h, w) cell after cell."""
    if tap.ndim == 3:
        return tap[0, 0]
    return (tap[0].transpose(1, 2, 0) if tap.ndim == 4 else tap[0]).reshape(-1)


def main():
    model, photos, output = sys.argv[1:]
    bytes_ = numpy.fromfile(photos, dtype="uint8").reshape(-1, SIDE, SIDE, 3)
    pixels = ((bytes_ / numpy.float32(255) - MEAN) / DEVIATION).transpose(0, 3, 1, 2)
    features(model, numpy.ascontiguousarray(pixels)).astype("float32").tofile(output)


main()
