"""Writes image models as PyTorch and ONNX Runtime export them, and what ONNX Runtime makes of photos with each.

Answers the first line of standard input with {"cases": [{"name", "file", "features" or "error"}, …]}: `features` is a
file of float32 (n, F), all outputs of a photo one after the other, each photo computed alone.
"""

import json
import logging
import os
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path

import numpy
import onnx
import torch
from onnxruntime import quantization
from onnxruntime.transformers.float16 import convert_float_to_float16
from torch import nn
from torch.nn import functional as F
from torchvision.models import mobilenet_v3_small
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer

SIDE = 64


class Cnn(nn.Module):
    """A grid and its mean, through layers whose operators changed between opsets."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 12, 3, 2), nn.BatchNorm2d(12), nn.ReLU6())
        self.depth = nn.Conv2d(12, 12, 3, 1, 1, groups=12)
        self.gate = nn.Sequential(nn.Linear(12, 6), nn.Hardswish(), nn.Linear(6, 12), nn.Hardsigmoid())
        self.norm = nn.GroupNorm(3, 12)
        self.drop = nn.Dropout(0.3)
        self.mixed = nn.Conv2d(24, 20, 1)

    def forward(self, pixels):
        x = F.max_pool2d(self.stem(pixels), 2)
        y = self.depth(x)
        y = y * self.gate(y.mean((2, 3)))[:, :, None, None]
        y = self.norm(F.avg_pool2d(y, 2))
        y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
        left, right = self.drop(torch.cat([x, y], 1)).chunk(2, 1)
        attention = right.flatten(2).softmax(-1).reshape(right.shape).clamp(min=1e-4)
        grid = F.gelu(self.mixed(F.pad(torch.cat([left, attention], 1), (1, 1, 1, 1))))
        grid = F.interpolate(F.avg_pool2d(grid, 4), size=(8, 8), mode="nearest")
        return F.adaptive_avg_pool2d(grid, 1).flatten(1), grid


class Block(nn.Module):
    """Attention in plain products, which every opset has."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList([nn.LayerNorm(width), nn.LayerNorm(width)])
        self.qkv = nn.Linear(width, 3 * width)
        self.output = nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x):
        photos, tokens, width = x.shape
        qkv = self.qkv(self.norms[0](x)).reshape(photos, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(2, 3) * (width // self.heads) ** -0.5).softmax(-1)
        x = x + self.output((weights @ value).transpose(1, 2).reshape(photos, tokens, width))
        return x + self.mlp(self.norms[1](x))


class Vit(nn.Module):
    """All tokens, as transformers gives them."""

    def __init__(self, width=32, patch=16):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.first = nn.Parameter(torch.randn(1, 1, width))
        self.positions = nn.Parameter(torch.randn(1, (SIDE // patch) ** 2 + 1, width))
        self.blocks = nn.Sequential(Block(width, 2), Block(width, 2), nn.LayerNorm(width))

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        return self.blocks(torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.positions)


class TorchvisionVit(VisionTransformer):
    """With PyTorch's fused attention."""

    def __init__(self):
        super().__init__(SIDE, 16, num_layers=2, num_heads=2, hidden_dim=32, mlp_dim=64)

    def forward(self, pixels):
        x = self._process_input(pixels)
        return self.encoder(torch.cat([self.class_token.expand(x.shape[0], -1, -1), x], 1))


class Swin(SwinTransformer):
    def __init__(self):
        super().__init__([4, 4], 24, [2, 2], [2, 4], [4, 4], stochastic_depth_prob=0.0)

    def forward(self, pixels):
        return self.norm(self.features(pixels)).permute(0, 3, 1, 2)


def convnext():
    return ConvNeXt([CNBlockConfig(16, 32, 2), CNBlockConfig(32, None, 2)], num_classes=24)


MODELS = {
    "cnn": Cnn,
    "vit": Vit,
    "torchvision vit": TorchvisionVit,
    "swin": Swin,
    "convnext": convnext,
    "mobilenet": partial(mobilenet_v3_small, num_classes=40),
}


def settled(model):
    """With the moments of a batch in its norms, so that random weights keep activations apart."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.5
    with torch.no_grad():
        for _ in range(8):
            model.train()(torch.randn(8, 3, SIDE, SIDE))
    return model.eval()


def export(model, path, opset, batch, dynamo):
    example = (torch.randn(2 if batch == "dynamic" else 1, 3, SIDE, SIDE),)
    names = {"input_names": ["pixel_values"]}
    if dynamo:
        names["dynamic_shapes"] = ({0: torch.export.Dim("batch")},) if batch == "dynamic" else None
        names |= {"external_data": True, "verbose": False}
    elif batch == "dynamic":
        names["dynamic_axes"] = {"pixel_values": {0: "batch"}}
    torch.onnx.export(model, example, str(path), opset_version=opset, dynamo=dynamo, **names)


def exports():
    """The name of each file and what writes it to a path."""
    for name, create in MODELS.items():
        torch.manual_seed(1)
        model = settled(create())
        for opset in (11, 13, 17, 20):
            for batch in ("dynamic", "fixed"):
                write = partial(export, model, opset=opset, batch=batch, dynamo=False)
                yield f"{name}, opset {opset}, batch {batch}", write
        for opset, batch in ((18, "dynamic"), (20, "dynamic"), (22, "dynamic"), (20, "fixed")):
            write = partial(export, model, opset=opset, batch=batch, dynamo=True)
            yield f"{name}, newer exporter, opset {opset}, batch {batch}", write
        yield f"{name}, int8, ranges of each batch", partial(changed, model, quantization.quantize_dynamic)
        for style in quantization.QuantFormat:
            yield f"{name}, int8, {style.name}", partial(changed, model, partial(quantize, style=style))
        yield f"{name}, float16", partial(changed, model, halve)


def changed(model, change, path):
    base = f"{path}.base"
    export(model, base, 17, "dynamic", False)
    change(base, path)


def quantize(base, path, style):
    class Reader(quantization.CalibrationDataReader):
        def __init__(self):
            random = numpy.random.default_rng(1)
            batches = random.normal(size=(2, 4, 3, SIDE, SIDE)).astype("float32")
            self.batches = iter([{"pixel_values": batch} for batch in batches])

        def get_next(self):
            return next(self.batches, None)

    quantization.quantize_static(base, path, Reader(), quant_format=style)


def halve(base, path):
    onnx.save(convert_float_to_float16(onnx.load(base)), path)


def main():
    case = json.loads(sys.argv[1])
    # Exporters write to standard output, from C too.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for _ in sys.stdin:
        cases = []
        for index, (name, write) in enumerate(exports()):
            if case["only"] not in name:
                continue
            path = Path(case["folder"], f"{index}.onnx")
            found = {"name": name, "file": str(path)}
            try:
                write(path=path)
                found["features"] = f"{path}.features"
                # ONNX Runtime crashes on some of what its own converters write.
                words = [sys.executable, "onnxruntime_features.py", path, case["photos"], found["features"]]
                subprocess.run(words, check=True, capture_output=True)
            except Exception as error:
                found.pop("features", None)
                found["error"] = f"{type(error).__name__}: {error}".split("\n")[0][:200]
            cases.append(found)
        print(json.dumps({"cases": cases}), file=answers, flush=True)


main()
