"""A language model with the module names of Hugging Face's LlamaForCausalLM: RMSNorm, rotary positions, grouped
queries, SwiGLU, and an output layer that shares the embeddings' weight."""

import math

import torch
from torch import nn
from torch.nn import functional as F

CONFIG = {
    "vocab_size": 2048, "hidden_size": 128, "num_hidden_layers": 4, "num_attention_heads": 4,
    "num_key_value_heads": 2, "intermediate_size": 320, "max_position_embeddings": 256,
    "rope_theta": 10000.0, "rms_norm_eps": 1e-5,
}  # fmt: skip
D, VOCAB, INNER = CONFIG["hidden_size"], CONFIG["vocab_size"], CONFIG["intermediate_size"]
HEADS, GROUPS = CONFIG["num_attention_heads"], CONFIG["num_key_value_heads"]
SIZE = D // HEADS


class RMSNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D))

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + CONFIG["rms_norm_eps"]))


def rotate(x, cos, sin):
    return x * cos + torch.cat((-x[..., SIZE // 2 :], x[..., : SIZE // 2]), -1) * sin


def repeat(x):
    """Each key and value head as often as it is used."""
    b, g, t, s = x.shape
    n = HEADS // GROUPS
    return x[:, :, None].expand(b, g, n, t, s).reshape(b, g * n, t, s)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q_proj, self.o_proj = nn.Linear(D, D, bias=False), nn.Linear(D, D, bias=False)
        self.k_proj, self.v_proj = (nn.Linear(D, GROUPS * SIZE, bias=False) for _ in range(2))

    def forward(self, x, cos, sin, mask):
        b, t, _ = x.shape
        q = rotate(self.q_proj(x).view(b, t, HEADS, SIZE).transpose(1, 2), cos, sin)
        k = repeat(rotate(self.k_proj(x).view(b, t, GROUPS, SIZE).transpose(1, 2), cos, sin))
        v = repeat(self.v_proj(x).view(b, t, GROUPS, SIZE).transpose(1, 2))
        p = F.softmax(q @ k.transpose(2, 3) / math.sqrt(SIZE) + mask, -1)
        return self.o_proj((p @ v).transpose(1, 2).reshape(b, t, D))


class MLP(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate_proj, self.up_proj = nn.Linear(D, INNER, bias=False), nn.Linear(D, INNER, bias=False)
        self.down_proj = nn.Linear(INNER, D, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.self_attn, self.mlp = Attention(), MLP()
        self.input_layernorm, self.post_attention_layernorm = RMSNorm(), RMSNorm()

    def forward(self, x, cos, sin, mask):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, mask)
        return x + self.mlp(self.post_attention_layernorm(x))


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = nn.Embedding(VOCAB, D)
        self.layers = nn.ModuleList(DecoderLayer() for _ in range(CONFIG["num_hidden_layers"]))
        self.norm = RMSNorm()
        inverse = 1.0 / CONFIG["rope_theta"] ** (torch.arange(0, SIZE, 2).float() / SIZE)
        self.register_buffer("inv_freq", inverse, persistent=False)

    def forward(self, input_ids, attention_mask):
        x = self.embed_tokens(input_ids)
        t = torch.arange(input_ids.size(1))
        freqs = t[:, None].float() * self.inv_freq[None].float()
        angles = torch.cat((freqs, freqs), -1)
        cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
        later = torch.full((t.size(0), t.size(0)), -10000.0, dtype=x.dtype).triu(1)
        mask = later[None, None] + (1.0 - attention_mask[:, None, None, :].to(x.dtype)) * -10000.0
        for layer in self.layers:
            x = layer(x, cos, sin, mask)
        return self.norm(x)


class LlamaForCausalLM(nn.Module):
    def __init__(self):
        super().__init__()
        self.model, self.lm_head = Model(), nn.Linear(D, VOCAB, bias=False)
        for p in self.parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)
        self.lm_head.weight = self.model.embed_tokens.weight

    def forward(self, input_ids, attention_mask):
        return self.lm_head(self.model(input_ids, attention_mask))
