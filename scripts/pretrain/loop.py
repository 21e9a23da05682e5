"""The training loop of both models: AdamW with warmup and decay, and a checkpoint to continue from."""

import copy
import time
from pathlib import Path

import torch

# Steps of warmup, and the last part of all steps, in which the rate falls.
WARMUP, DECAY = 50, 0.3


def groups(model):
    """For AdamW: matrices decay, while biases, norms and position embeddings do not."""
    matrices = [p for p in model.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if p.dim() != 2]
    return [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]


def factor(step, steps):
    """A constant rate between a linear rise and a linear fall: more steps continue where fewer have ended their
    constant part."""
    return min(1.0, (step + 1) / WARMUP, (steps - step) / (DECAY * steps))


def train(model, batch_loss, steps, rate, checkpoint):
    """Gradients are computed in bfloat16, as processors with AMX do fastest; weights and their updates are float32.
    `batch_loss(model, step)` is the loss of a step's batch, which depends on nothing else. Continues from the file
    `checkpoint` if there is one. Returns the trained model in bfloat16, to evaluate it as fast."""
    optimizer = torch.optim.AdamW(groups(model), lr=rate, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: factor(step, steps))
    parts = {"model": model, "optimizer": optimizer, "schedule": schedule}
    first = 0
    if Path(checkpoint).exists():
        saved = torch.load(checkpoint, weights_only=True)
        first = saved["step"]
        for name, part in parts.items():
            part.load_state_dict(saved[name])
    half = copy.deepcopy(model).bfloat16()
    pairs = list(zip(model.parameters(), half.parameters()))
    began, losses = time.time(), []
    for step in range(first, steps):
        for weight, rounded in pairs:
            rounded.data.copy_(weight.data)
        loss = batch_loss(half, step)
        half.zero_grad()
        loss.backward()
        for weight, rounded in pairs:
            weight.grad = rounded.grad.float()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 25 == 0 or step + 1 == steps:
            mean = sum(losses) / len(losses)
            print(f"step {step + 1} of {steps}, loss {mean:.4f}, {time.time() - began:.0f} s", flush=True)
            losses.clear()
        if (step + 1) % 50 == 0 or step + 1 == steps:
            torch.save({"step": step + 1, **{name: part.state_dict() for name, part in parts.items()}}, checkpoint)
    for weight, rounded in pairs:
        rounded.data.copy_(weight.data)
    return half.eval()
