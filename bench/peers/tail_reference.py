"""Writes the small transformers of test/fixtures/backbones, and what PyTorch makes of their last blocks.

    .venv/bin/python tail_reference.py ../../test/fixtures

For each model: `<name>.onnx`, and `reference/tail-<name>.safetensors` with the tensor at the cut (`given`), the output
(`features`), the weights of a scalar loss Σ features · probe (`probe`), and its gradients: `gradient/given`,
`gradient/<initialiser>` of everything behind the cut, and `gradient/<initialiser>.a`, `.b` where each matrix product is
changed by A B, whose values are `<initialiser>.a` (I, r) and `.b` (r, O); `changed` is the output then.
"""

import json
import struct
import sys
from pathlib import Path

import numpy
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.func import functional_call
from torchvision.models.swin_transformer import SwinTransformer

SIDE = 16
RANK = 2
PHOTOS = 3


class Block(nn.Module):
    """As transformers write it: three projections, scores divided by the root of the width of a head."""

    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width, eps=1e-12)
        self.after = nn.LayerNorm(width, eps=1e-12)
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, x):
        photos, tokens, width = x.shape
        apart = lambda y: y.view(photos, tokens, self.heads, width // self.heads).transpose(1, 2)
        y = self.before(x)
        query, key, value = apart(self.query(y)), apart(self.key(y)), apart(self.value(y))
        weights = (query @ key.transpose(2, 3) / (width // self.heads) ** 0.5).softmax(-1)
        x = x + self.output((weights @ value).transpose(1, 2).reshape(photos, tokens, width))
        return x + self.down(nn.functional.gelu(self.up(self.after(x))))


class Vit(nn.Module):
    def __init__(self, width=24, patch=4):
        super().__init__()
        self.patches = nn.Conv2d(3, width, patch, patch)
        self.first = nn.Parameter(torch.zeros(1, 1, width))
        self.positions = nn.Parameter(torch.zeros(1, (SIDE // patch) ** 2 + 1, width))
        self.blocks = nn.ModuleList([Block(width, 2), Block(width, 2)])
        self.norm = nn.LayerNorm(width)

    def front(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        x = torch.cat([self.first.expand(x.shape[0], -1, -1), x], 1) + self.positions
        return self.blocks[0](x)

    def tail(self, x):
        return self.norm(self.blocks[1](x))

    def forward(self, pixels):
        return self.tail(self.front(pixels))


class Swin(SwinTransformer):
    """Two stages, the second with a shifted window."""

    def __init__(self):
        super().__init__([2, 2], 12, [1, 2], [2, 2], [2, 2], mlp_ratio=2.0, stochastic_depth_prob=0.0)

    def front(self, pixels):
        return self.features[:3](pixels)

    def tail(self, x):
        return self.norm(self.features[3](x)).permute(0, 3, 1, 2).mean((2, 3))

    def forward(self, pixels):
        return self.tail(self.front(pixels))


def drawn(model):
    """Every weight different from all others, so that each can be found in the exported file."""
    torch.manual_seed(1)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            weight.normal_(0, 0.3 if weight.dim() > 1 else 0.1)
            if "norm" in name or "before" in name or "after" in name:
                weight.add_(1.0 if name.endswith("weight") else 0.0)
    return model.eval()


def export(model, path, opset, dynamo):
    example = (torch.randn(2, 3, SIDE, SIDE),)
    names = {"input_names": ["pixel_values"], "output_names": ["features"], "opset_version": opset}
    if dynamo:
        batch = {"dynamic_shapes": ({0: torch.export.Dim("batch")},), "external_data": False, "verbose": False}
    else:
        batch = {"dynamic_axes": {"pixel_values": {0: "batch"}, "features": {0: "batch"}}}
    torch.onnx.export(model, example, str(path), dynamo=dynamo, **names, **batch)
    written = onnx.load(path)
    for each in [*written.graph.node, *written.graph.value_info, *written.graph.initializer]:
        each.doc_string = ""
        del each.metadata_props[:]
    del written.graph.value_info[:]
    del written.graph.metadata_props[:]
    onnx.save(written, path)
    return written


def initialisers(file, tensors):
    """The name, and whether it stands there transposed, of each of PyTorch's tensors in the file."""
    found = {}
    for initialiser in file.graph.initializer:
        values = numpy_helper.to_array(initialiser)
        if values.dtype != numpy.float32 or values.size < 2:
            continue
        for name, tensor in tensors.items():
            own = tensor.detach().numpy()
            if own.shape == values.shape and numpy.array_equal(own, values):
                found[name] = (initialiser.name, False)
            elif own.ndim == 2 and own.T.shape == values.shape and numpy.array_equal(own.T, values):
                found[name] = (initialiser.name, True)
    return found


def write(path, tensors, metadata):
    header, parts, at = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        values = numpy.ascontiguousarray(tensor.detach().numpy().astype("<f4")).tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(values)]}
        at += len(values)
        parts.append(values)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


class Tail(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, given):
        return self.model.tail(given)


def reference(model, file):
    torch.manual_seed(2)
    parameters = {f"model.{name}": each for name, each in model.named_parameters()}
    # Exporters compute the bias of positions from its table beforehand.
    biases = {}
    for name, module in model.named_modules():
        if hasattr(module, "relative_position_bias_table"):
            biases[name] = module.get_relative_position_bias().detach().requires_grad_()
            module.get_relative_position_bias = lambda bias=biases[name]: bias
    with torch.no_grad():
        given = model.front(torch.randn(PHOTOS, 3, SIDE, SIDE))
    given.requires_grad_()
    features = model.tail(given)
    probe = torch.randn_like(features)
    loss = (features * probe).sum()
    wanted = {"given": given, **parameters, **biases}
    gradients = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    out = {"given": given, "features": features, "probe": probe}
    places = initialisers(file, {**parameters, **biases})
    matrices = {}
    for (name, tensor), gradient in zip(wanted.items(), gradients):
        if name == "given":
            out["gradient/given"] = gradient
        elif name in places and gradient is not None:
            own, turned = places[name]
            out[f"gradient/{own}"] = gradient.T if turned else gradient
            if tensor.dim() == 2:
                matrices[name] = own
    low = {}
    for name, own in matrices.items():
        outputs, inputs = parameters[name].shape
        low[f"{own}.a"] = (0.3 * torch.randn(inputs, RANK)).requires_grad_()
        low[f"{own}.b"] = (0.3 * torch.randn(RANK, outputs)).requires_grad_()
    weights = dict(parameters)
    for name, own in matrices.items():
        weights[name] = parameters[name] + (low[f"{own}.a"] @ low[f"{own}.b"]).T
    changed = functional_call(Tail(model), weights, (given,))
    found = torch.autograd.grad((changed * probe).sum(), list(low.values()))
    return {
        **out,
        **low,
        "changed": changed,
        **{f"gradient/{name}": gradient for name, gradient in zip(low, found)},
    }


def main():
    fixtures = Path(sys.argv[1])
    for name, create, opset, dynamo in (("vit-opset13", Vit, 13, False), ("swin-opset20", Swin, 20, True)):
        model = drawn(create())
        folder = fixtures / "backbones"
        folder.mkdir(exist_ok=True)
        file = export(model, folder / f"{name}.onnx", opset, dynamo)
        metadata = {"torch": torch.__version__, "opset": str(opset)}
        write(fixtures / "reference" / f"tail-{name}.safetensors", reference(model, file), metadata)


main()
