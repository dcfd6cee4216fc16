"""Answers each line of standard input by decoding a folder of photos: {"seconds": …}."""

import json
import sys
import time

from torch.utils.data import DataLoader

from photos import Photos


def main():
    case = json.loads(sys.argv[1])
    loader = DataLoader(
        Photos(case["folder"], case["side"]), batch_size=32, num_workers=case["workers"], persistent_workers=True
    )
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        count = sum(len(photos) for photos in loader)
        print(json.dumps({"seconds": time.perf_counter() - start, "photos": count}), flush=True)


main()
