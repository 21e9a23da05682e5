"""The noise schedule of scheduler_config.json, and DDIM with classifier-free guidance."""

import torch

from picture_configs import SCHEDULER


def alphas_cumprod():
    """Of `scaled_linear`: the betas are the squares of evenly spaced numbers."""
    ends = SCHEDULER["beta_start"] ** 0.5, SCHEDULER["beta_end"] ** 0.5
    betas = torch.linspace(*ends, SCHEDULER["num_train_timesteps"], dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


def noisy(latents, noise, t):
    a = alphas_cumprod()[t][:, None, None, None]
    return a.sqrt() * latents + (1 - a).sqrt() * noise


def ddim(predict, latents, states, empty, steps, guidance):
    """`predict(latents, t, states)` is the noise. `states` (b, n, d) of the prompts, `empty` of the empty prompt."""
    alphas, jump = alphas_cumprod(), SCHEDULER["num_train_timesteps"] // steps
    for t in reversed(range(SCHEDULER["steps_offset"], SCHEDULER["num_train_timesteps"], jump)):
        at = torch.full((2 * len(latents),), t)
        without, with_text = predict(torch.cat([latents] * 2), at, torch.cat([empty, states])).chunk(2)
        noise = without + guidance * (with_text - without)
        a, before = alphas[t], alphas[max(t - jump, 0)]
        clean = (latents - (1 - a).sqrt() * noise) / a.sqrt()
        latents = before.sqrt() * clean + (1 - before).sqrt() * noise
    return latents
