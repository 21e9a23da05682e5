#!/usr/bin/python3
"""Pretrains the small pipeline of the picture demo on nine of Fashion-MNIST's classes; see README.md."""

import argparse
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from fashion_mnist import FOLDER
from loop import train
from picture_classifier import CHECKPOINT, Classifier
from picture_configs import INDEX, SCHEDULER, TEXT, UNET, VAE
from picture_data import CAPTIONS, MERGES, NOUNS, PRETRAINED, TEMPLATES, UNSEEN, clip_tokenizer, everything, known, tokens
from picture_diffusion import ddim, noisy

from autoencoder import AutoencoderKL
from pipeline_files import write_component, write_index, write_json
from text_encoder import TextEncoder
from unet import UNet2DConditionModel

SEED = 1
OUT = Path(__file__).resolve().parents[2] / "demo" / "models" / "fashion-pictures"
"""Images of a step, and the rate, of each part."""
VAE_BATCH, VAE_RATE, KL = 64, 2e-3, 5e-4
UNET_BATCH, UNET_RATE = 64, 1e-3
"""Share of empty prompts, so that guidance has something to compare with."""
EMPTY = 0.1
"""Pictures of each class that are judged at the end."""
EACH = 20


def generator_of(step):
    return torch.Generator().manual_seed(SEED * 1_000_003 + step)


def rgb(pictures):
    return pictures.expand(-1, 3, -1, -1).bfloat16()


def autoencoder(images, steps, checkpoint):
    """Trained by the squared and absolute errors of pixels, with a weak pull of the latents to a normal distribution."""
    torch.manual_seed(SEED)
    model = AutoencoderKL(VAE)

    def batch_loss(half, step):
        generator = generator_of(step)
        x = rgb(images[torch.randint(0, len(images), (VAE_BATCH,), generator=generator)])
        mean, logvar = half.encode(x).float().chunk(2, 1)
        noise = torch.randn(mean.shape, generator=generator)
        back = half.decode((mean + (0.5 * logvar).exp() * noise).bfloat16()).float()
        kl = 0.5 * (mean**2 + logvar.exp() - 1 - logvar).mean()
        return F.mse_loss(back, x.float()) + F.l1_loss(back, x.float()) + KL * kl

    return model, train(model, batch_loss, steps, VAE_RATE, checkpoint)


@torch.no_grad()
def encoded(half, images):
    """Means and log-variances of all images, (n, 8, 8, 8)."""
    return torch.cat([half.encode(rgb(x)) for x in images.split(250)])


def denoiser(parameters, labels, scale, steps, checkpoint):
    """The U-Net and the text encoder, trained together to predict the noise."""
    torch.manual_seed(SEED)
    model = nn.ModuleDict({"unet": UNet2DConditionModel(UNET), "text_encoder": TextEncoder(TEXT)})
    # CLIP's: the default of PyTorch drowns positions and layers.
    nn.init.normal_(model["text_encoder"].text_model.embeddings.token_embedding.weight, std=0.1)
    nn.init.normal_(model["text_encoder"].text_model.embeddings.position_embedding.weight, std=0.05)
    table = tokens(CAPTIONS)

    def batch_loss(half, step):
        generator = generator_of(step)
        at = torch.randint(0, len(labels), (UNET_BATCH,), generator=generator)
        caption = labels[at] * len(TEMPLATES) + torch.randint(0, len(TEMPLATES), at.shape, generator=generator)
        caption[torch.rand(at.shape, generator=generator) < EMPTY] = len(CAPTIONS) - 1
        mean, logvar = parameters[at].float().chunk(2, 1)
        normal = lambda: torch.randn(mean.shape, generator=generator)  # noqa: E731
        latents = scale * (mean + (0.5 * logvar).exp() * normal())
        t, noise = torch.randint(0, 1000, at.shape, generator=generator), normal()
        states = half["text_encoder"](table)["last_hidden_state"][caption]
        return F.mse_loss(half["unet"](noisy(latents, noise, t).bfloat16(), t, states).float(), noise)

    return model, train(model, batch_loss, steps, UNET_RATE, checkpoint)


def write(vae, model, scale):
    """All weights in float16."""
    vae_config = {**VAE, "scaling_factor": round(scale, 5)}
    write_component(OUT / "vae", vae_config, vae, dtype=torch.float16)
    write_component(OUT / "unet", UNET, model["unet"], dtype=torch.float16)
    write_component(OUT / "text_encoder", TEXT, model["text_encoder"], dtype=torch.float16)
    write_json(OUT / "scheduler" / "scheduler_config.json", SCHEDULER)
    clip_tokenizer.write(OUT / "tokenizer", MERGES, length=TEXT["max_position_embeddings"])
    write_index(OUT, "StableDiffusionPipeline", "0.6.0", INDEX)


@torch.no_grad()
def samples(vae, model, scale, prompts, steps=25, guidance=3.0):
    """(n, 3, 32, 32) from -1 to 1."""
    latents = torch.randn(len(prompts), 4, 8, 8, generator=generator_of(0))
    states, empty = (model["text_encoder"](tokens(p))["last_hidden_state"] for p in (prompts, [""] * len(prompts)))
    predict = lambda x, t, c: model["unet"](x.bfloat16(), t, c).float()  # noqa: E731
    latents = ddim(predict, latents, states, empty, steps, guidance)
    return vae.decode((latents / scale).bfloat16()).float().clamp(-1, 1)


def recognized(drawn, classes):
    """Share of the pictures that the classifier takes for the class that was asked for."""
    classifier = Classifier()
    classifier.load_state_dict(torch.load(CHECKPOINT, weights_only=True)["model"])
    with torch.no_grad():
        return (classifier(drawn).argmax(-1) == torch.tensor(classes)).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vae-steps", type=int, default=600)
    parser.add_argument("--steps", type=int, default=2600)
    parser.add_argument("--data", default=FOLDER, help="the folder with Fashion-MNIST's IDX files")
    parser.add_argument("--checkpoint", default="/tmp/pretrain-pictures", help="beginning of two files' names")
    args = parser.parse_args()
    # More threads wait for each other on a busy machine.
    torch.set_num_threads(1)
    began = time.process_time()
    images, labels = known("train", args.data)
    vae, half_vae = autoencoder(images, args.vae_steps, f"{args.checkpoint}-vae.pt")
    test, classes = everything("t10k", args.data)
    for name, kept in {"seen classes": classes != UNSEEN, "bags, not seen": classes == UNSEEN}.items():
        x = rgb(test[kept][:500])
        with torch.no_grad():
            back = half_vae.decode(half_vae.encode(x).chunk(2, 1)[0])
        print(f"autoencoder, {name}: root mean squared error {F.mse_loss(back, x).sqrt() / 2:.4f} of the range")
    parameters = encoded(half_vae, images)
    scale = 1 / parameters.float().chunk(2, 1)[0].std().item()
    print(len(images), "images; scaling factor", scale, flush=True)
    model, half = denoiser(parameters, labels, scale, args.steps, f"{args.checkpoint}-unet.pt")
    write(vae, model, scale)
    for part in (vae, *model.values()):
        print(type(part).__name__, sum(p.numel() for p in part.parameters()), "parameters")
    print(f"{time.process_time() - began:.0f} s of processor time")
    prompts = [TEMPLATES[0].format(noun) for noun in NOUNS] * EACH
    print(f"{len(prompts)} pictures: {recognized(samples(half_vae, half, scale, prompts), PRETRAINED * EACH):.3f} recognized")


if __name__ == "__main__":
    main()
