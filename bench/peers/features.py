"""Answers each line of standard input by computing features of a folder of photos: {"seconds": …, "sum": …}.

Pillow decodes in threads, some batches ahead, while ONNX Runtime computes; features are kept as 16-bit floats.
"""

import json
import sys
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy
import onnxruntime
from PIL import Image

BATCH = 32


def decode(path):
    with Image.open(path) as image:
        return numpy.asarray(image.convert("RGB"))


def main():
    case = json.loads(sys.argv[1])
    threads = case["threads"]
    paths = sorted(Path(case["folder"]).iterdir())[: case["photos"]]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(case["model"], options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        rows = []
        with ThreadPoolExecutor(threads) as pool:
            waiting = deque()
            for path in paths[: 8 * BATCH]:
                waiting.append(pool.submit(decode, path))
            following = iter(paths[8 * BATCH :])
            while waiting:
                pixels = []
                for _ in range(min(BATCH, len(waiting))):
                    pixels.append(waiting.popleft().result())
                    path = next(following, None)
                    if path is not None:
                        waiting.append(pool.submit(decode, path))
                outputs = session.run(None, {entry.name: numpy.stack(pixels)})
                flat = [output.reshape(len(pixels), -1) for output in outputs]
                rows.append(numpy.concatenate(flat, 1).astype("float16"))
        features = numpy.concatenate(rows)
        seconds = time.perf_counter() - start
        answer = {"seconds": seconds, "photos": len(features), "mean": float(features[:256].astype("float32").mean())}
        print(json.dumps(answer), flush=True)


main()
