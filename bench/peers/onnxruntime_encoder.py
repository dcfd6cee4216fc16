"""Answers each line of standard input by embedding photos with an exported encoder in an old ONNX Runtime.

{"seconds": …, "version": …, "difference": …}: the largest difference to embeddings that are given.
"""

import json
import sys
import time

import numpy
import onnxruntime


def main():
    case = json.loads(sys.argv[1])
    side = case["side"]
    photos = numpy.fromfile(case["photos"], dtype="uint8").reshape(-1, side, side, 3)
    session = onnxruntime.InferenceSession(case["encoder"], providers=["CPUExecutionProvider"])
    ours = numpy.fromfile(case["ours"], dtype="float32").reshape(len(photos), -1)
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        parts = [photos[at : at + 100] for at in range(0, len(photos), 100)]
        theirs = numpy.concatenate([session.run(["embeddings"], {"photos": part})[0] for part in parts])
        seconds = time.perf_counter() - start
        difference = float(numpy.abs(theirs - ours).max())
        version = onnxruntime.__version__
        answer = {"seconds": seconds, "version": version, "difference": difference}
        print(json.dumps(answer), flush=True)


main()
