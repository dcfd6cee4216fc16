"""Answers each line of standard input with one training step: {"seconds": …, "loss": …}."""

import json
import sys
import time

import torch
from torch import nn

from models import Courier, create_encoder

DIMENSION, CANDIDATES, PLACES = 128, 5, 5


def main():
    case = json.loads(sys.argv[1])
    torch.set_num_threads(case["threads"])
    torch.manual_seed(1)
    photo_count, samples, side = case["photos"], case["samples"], case["side"]
    model = Courier(create_encoder(case["encoder"], DIMENSION), DIMENSION)
    parameters = sum(p.numel() for p in model.parameters())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=0.01)
    step = torch.compile(model) if case["compiled"] else model
    photos = torch.randint(0, 256, (photo_count, side, side, 3), dtype=torch.uint8)
    clicked = torch.randint(0, photo_count, (samples,))
    candidates = torch.randint(0, photo_count, (samples, CANDIDATES))
    candidates[:, 0] = clicked
    history = torch.randint(0, photo_count, (samples, PLACES))
    print(json.dumps({"ready": True, "parameters": parameters, "version": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        loss = step(photos, clicked, candidates, history)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        value = loss.item()
        print(json.dumps({"seconds": time.perf_counter() - start, "loss": value}), flush=True)


main()
