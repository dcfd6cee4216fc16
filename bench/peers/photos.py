"""Photos of a folder as a PyTorch dataset, decoded by Pillow."""

from pathlib import Path

import numpy
import torch
from PIL import Image
from torch.utils.data import Dataset


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
