"""A vision transformer with the module names of Hugging Face's ViTForImageClassification."""

import math

import torch
from torch import nn
from torch.nn import functional as F

CONFIG = {
    "hidden_size": 96, "num_hidden_layers": 6, "num_attention_heads": 3, "intermediate_size": 384,
    "image_size": 28, "patch_size": 4, "num_channels": 3, "layer_norm_eps": 1e-12,
}  # fmt: skip
D, EPS = CONFIG["hidden_size"], CONFIG["layer_norm_eps"]
HEADS, INNER = CONFIG["num_attention_heads"], CONFIG["intermediate_size"]


class PatchEmbeddings(nn.Module):
    def __init__(self):
        super().__init__()
        size = CONFIG["patch_size"]
        self.projection = nn.Conv2d(CONFIG["num_channels"], D, size, size)

    def forward(self, pixel_values):
        return self.projection(pixel_values).flatten(2).transpose(1, 2)


class Embeddings(nn.Module):
    def __init__(self):
        super().__init__()
        tokens = (CONFIG["image_size"] // CONFIG["patch_size"]) ** 2 + 1
        self.cls_token = nn.Parameter(torch.randn(1, 1, D) * 0.02)
        self.position_embeddings = nn.Parameter(torch.randn(1, tokens, D) * 0.02)
        self.patch_embeddings = PatchEmbeddings()

    def forward(self, pixel_values):
        x = self.patch_embeddings(pixel_values)
        return torch.cat((self.cls_token.expand(x.size(0), -1, -1), x), 1) + self.position_embeddings


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.key, self.value = nn.Linear(D, D), nn.Linear(D, D), nn.Linear(D, D)

    def heads(self, x):
        return x.view(x.size(0), -1, HEADS, D // HEADS).transpose(1, 2)

    def forward(self, x):
        q, k, v = self.heads(self.query(x)), self.heads(self.key(x)), self.heads(self.value(x))
        p = F.softmax(q @ k.transpose(-1, -2) / math.sqrt(D // HEADS), -1)
        return (p @ v).transpose(1, 2).reshape(x.size(0), -1, D)


class Dense(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.dense = nn.Linear(inputs, outputs)

    def forward(self, x):
        return self.dense(x)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.output = SelfAttention(), Dense(D, D)

    def forward(self, x):
        return self.output(self.attention(x))


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention, self.intermediate, self.output = Attention(), Dense(D, INNER), Dense(INNER, D)
        self.layernorm_before, self.layernorm_after = nn.LayerNorm(D, EPS), nn.LayerNorm(D, EPS)

    def forward(self, x):
        x = x + self.attention(self.layernorm_before(x))
        return x + self.output(F.gelu(self.intermediate(self.layernorm_after(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.ModuleList(Layer() for _ in range(CONFIG["num_hidden_layers"]))

    def forward(self, x):
        for layer in self.layer:
            x = layer(x)
        return x


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.embeddings, self.encoder, self.layernorm = Embeddings(), Encoder(), nn.LayerNorm(D, EPS)

    def forward(self, pixel_values):
        return self.layernorm(self.encoder(self.embeddings(pixel_values)))


class ViTForImageClassification(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.vit, self.classifier = Vit(), nn.Linear(D, classes)

    def forward(self, pixel_values):
        return self.classifier(self.vit(pixel_values)[:, 0])


class Backbone(nn.Module):
    """What is exported: the last hidden state, under the names of the whole model."""

    def __init__(self, model):
        super().__init__()
        self.vit = model.vit

    def forward(self, pixel_values):
        return self.vit(pixel_values)
