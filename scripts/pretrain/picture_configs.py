"""What the small pipeline is: the keys of Stable Diffusion 1.5's files, other sizes."""

from picture_data import LENGTH, VOCABULARY

VAE = {
    "_class_name": "AutoencoderKL", "_diffusers_version": "0.6.0", "act_fn": "silu", "block_out_channels": [16, 32, 32],
    "down_block_types": ["DownEncoderBlock2D"] * 3, "in_channels": 3, "latent_channels": 4, "layers_per_block": 1,
    "norm_num_groups": 8, "out_channels": 3, "sample_size": 32, "up_block_types": ["UpDecoderBlock2D"] * 3,
}  # fmt: skip
TEXT = {
    "architectures": ["CLIPTextModel"], "bos_token_id": 0, "eos_token_id": 2, "hidden_act": "quick_gelu", "hidden_size": 48,
    "intermediate_size": 96, "layer_norm_eps": 1e-05, "max_position_embeddings": LENGTH, "model_type": "clip_text_model",
    "num_attention_heads": 4, "num_hidden_layers": 2, "pad_token_id": 1, "projection_dim": 48, "vocab_size": len(VOCABULARY),
}  # fmt: skip
UNET = {
    "_class_name": "UNet2DConditionModel", "_diffusers_version": "0.6.0", "act_fn": "silu", "attention_head_dim": 4,
    "block_out_channels": [32, 64], "center_input_sample": False, "cross_attention_dim": 48,
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D"], "downsample_padding": 1, "flip_sin_to_cos": True,
    "freq_shift": 0, "in_channels": 4, "layers_per_block": 1, "mid_block_scale_factor": 1, "norm_eps": 1e-05,
    "norm_num_groups": 8, "out_channels": 4, "sample_size": 8, "up_block_types": ["CrossAttnUpBlock2D", "UpBlock2D"],
}  # fmt: skip
SCHEDULER = {
    "_class_name": "DDIMScheduler", "_diffusers_version": "0.6.0", "beta_end": 0.012, "beta_schedule": "scaled_linear",
    "beta_start": 0.00085, "clip_sample": False, "num_train_timesteps": 1000, "prediction_type": "epsilon",
    "set_alpha_to_one": False, "steps_offset": 1, "trained_betas": None,
}  # fmt: skip
INDEX = {
    "feature_extractor": None, "safety_checker": None, "scheduler": "DDIMScheduler", "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer", "unet": "UNet2DConditionModel", "vae": "AutoencoderKL",
}  # fmt: skip
