"""Answers each line of standard input by decoding a folder of photos: {"seconds": …}."""

import json
import sys
import time
from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset


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
    loader = DataLoader(
        Photos(case["folder"], case["side"]), batch_size=32, num_workers=case["workers"], persistent_workers=True
    )
    print(json.dumps({"ready": True}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        count = sum(len(photos) for photos in loader)
        print(json.dumps({"seconds": time.perf_counter() - start, "photos": count}), flush=True)


main()
