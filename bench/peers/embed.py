"""Answers each line of standard input by embedding a folder of photos: {"seconds": …}."""

import json
import sys
import time

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader

from models import create_encoder
from photos import Photos


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    encoder = create_encoder(case["encoder"], 128).eval()
    # The best of 0, 1 and 2 loading processes on two cores.
    loader = DataLoader(
        Photos(case["folder"], case["side"]), batch_size=32, num_workers=case["workers"],
        persistent_workers=case["workers"] > 0,
    )
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        with torch.inference_mode():
            parts = [F.normalize(encoder(photos), dim=-1) for photos in loader]
        count = len(torch.cat(parts))
        print(json.dumps({"seconds": time.perf_counter() - start, "photos": count}), flush=True)


main()
