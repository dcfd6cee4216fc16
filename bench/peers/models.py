"""The encoders and the loss of courier, as one would write them in PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models.swin_transformer import SwinTransformer

COLOUR_MEAN = torch.tensor([123.675, 116.28, 103.53])
COLOUR_DEVIATION = torch.tensor([58.395, 57.12, 57.375])


class Block(nn.Module):
    def __init__(self, width, heads, ratio):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.up = nn.Linear(width, ratio * width, bias=False)
        self.down = nn.Linear(ratio * width, width, bias=False)

    def forward(self, x):
        batch, count, width = x.shape
        normed = F.layer_norm(x, (width,))
        qkv = self.qkv(normed).view(batch, count, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        x = x + self.output(mixed.transpose(1, 2).reshape(batch, count, width))
        return x + self.down(F.relu(self.up(F.layer_norm(x, (width,)))))


class Vit(nn.Module):
    def __init__(self, side, patch, width, depth, heads, ratio, dimension):
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(3 * patch * patch, width)
        self.position = nn.Parameter(0.02 * torch.randn((side // patch) ** 2, width))
        self.blocks = nn.ModuleList([Block(width, heads, ratio) for _ in range(depth)])
        self.head = nn.Linear(width, dimension)

    def forward(self, photos):
        batch, side, _, _ = photos.shape
        patch, places = self.patch, side // self.patch
        x = (photos.float() - COLOUR_MEAN) / COLOUR_DEVIATION
        x = x.view(batch, places, patch, places, patch, 3).permute(0, 1, 3, 2, 4, 5)
        x = self.embed(x.reshape(batch, places * places, -1)) + self.position
        for block in self.blocks:
            x = block(x)
        return self.head(F.layer_norm(x, x.shape[-1:]).mean(1))


class Swin(nn.Module):
    """torchvision's own, fed with photos as courier keeps them."""

    def __init__(self, **sizes):
        super().__init__()
        self.swin = SwinTransformer(stochastic_depth_prob=0.0, **sizes)

    def forward(self, photos):
        x = (photos.float() - COLOUR_MEAN) / COLOUR_DEVIATION
        return self.swin(x.permute(0, 3, 1, 2))


def create_encoder(name, dimension):
    if name == "vit-nano":
        return Vit(64, patch=8, width=128, depth=5, heads=4, ratio=4, dimension=dimension)
    if name == "swin-nano":
        return Swin(
            patch_size=[4, 4], embed_dim=48, depths=[2, 2, 2], num_heads=[3, 6, 12],
            window_size=[4, 4], num_classes=dimension,
        )
    if name == "swin-tiny":
        return Swin(
            patch_size=[4, 4], embed_dim=96, depths=[2, 2, 6, 2], num_heads=[3, 6, 12, 24],
            window_size=[7, 7], num_classes=dimension,
        )
    raise ValueError(name)


class Courier(nn.Module):
    """Encoder, projected attention and both contrastive losses (arXiv 2306.05001)."""

    def __init__(self, encoder, dimension, heads=4, temperature=0.05):
        super().__init__()
        self.encoder = encoder
        self.heads = heads
        self.temperature = temperature
        self.query = nn.Linear(dimension, dimension)
        self.key = nn.Linear(dimension, dimension)

    def rebuild(self, target, history):
        samples, places, dimension = history.shape
        length = dimension // self.heads
        query = self.query(target).view(samples, 1, self.heads, length).transpose(1, 2)
        key = self.key(history).view(samples, places, self.heads, length).transpose(1, 2)
        scores = query @ key.transpose(2, 3) * (dimension / length**0.5)
        attention = scores.softmax(-1).mean(1)
        return (attention @ history).squeeze(1)

    def contrast(self, rebuilt, positive, keys, same):
        rebuilt, positive, keys = (F.normalize(x, dim=-1) for x in (rebuilt, positive, keys))
        scores = rebuilt @ keys.t() / self.temperature
        others = scores.masked_fill(same, -1e4).logsumexp(1)
        return F.softplus(others - (rebuilt * positive).sum(1) / self.temperature).mean()

    def forward(self, photos, clicked, candidates, history):
        embeddings = F.normalize(self.encoder(photos), dim=-1)
        positive, past = embeddings[clicked], embeddings[history]
        flat = candidates.flatten()
        rebuilt = self.rebuild(positive, past)
        page_views = self.contrast(rebuilt, positive, embeddings[flat], clicked[:, None] == flat[None])
        newest, older = past[:, 0], past[:, 1:]
        same = history[:, :1] == history[:, 0][None]
        return page_views + self.contrast(self.rebuild(newest, older), newest, newest, same)
