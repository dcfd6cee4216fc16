"""Answers each line of standard input by embedding a folder of photos: {"seconds": …}."""

import json
import sys
import time
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from models import create_encoder


class Photos(Dataset):
    def __init__(self, folder, side):
        self.paths = sorted(Path(folder).iterdir())
        self.side = side

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        with Image.open(self.paths[index]) as image:
            small = image.convert("RGB").resize((self.side, self.side), Image.Resampling.BILINEAR)
        return torch.from_numpy(numpy.array(small))


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
