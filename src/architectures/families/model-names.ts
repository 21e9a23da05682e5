/** Kinds of models that families are of. */
export type ModelKind = 'encoder' | 'image' | 'decoder' | 'experts' | 'diffusion';

/**
 * The published models of each `model_type` (or diffusers' `_class_name`), by their kind. Messages and the table in
 * docs/models.md have them; `npm run docs:models` writes the latter.
 */
export const MODEL_NAMES: Readonly<Record<ModelKind, Readonly<Record<string, string>>>> = {
  encoder: {
    bert: 'BERT',
    roberta: 'RoBERTa',
    'xlm-roberta': 'XLM-RoBERTa',
    camembert: 'CamemBERT',
    electra: 'ELECTRA, generators and discriminators',
    distilbert: 'DistilBERT',
    mpnet: 'MPNet',
    albert: 'ALBERT',
    'deberta-v2': 'DeBERTa-v2, DeBERTa-v3',
    modernbert: 'ModernBERT',
    t5: 'The encoder of T5, T5 1.1 and Flan-T5',
    mt5: 'The encoder of mT5',
    clip_text_model: "CLIP's text model",
  },
  image: {
    vit: 'ViT',
    deit: 'DeiT',
    dinov2: 'DINOv2',
    dinov2_with_registers: 'DINOv2 with registers',
    swin: 'Swin Transformer',
    clip_vision_model: "CLIP's image model",
    clip: 'CLIP that classifies images',
  },
  decoder: {
    llama: 'LLaMA 1 to 3, SmolLM and others',
    mistral: 'Mistral',
    ministral: 'Ministral (8B of 2024)',
    qwen2: 'Qwen2, Qwen2.5',
    qwen3: 'Qwen3',
    gemma: 'Gemma 1, CodeGemma',
    gemma2: 'Gemma 2',
    gemma3_text: 'Gemma 3',
    gemma3: 'The text model of Gemma 3 with images (4B and larger)',
    phi3: 'Phi-3-mini, Phi-3-medium, Phi-3.5-mini, Phi-4-mini',
    smollm3: 'SmolLM3',
    olmo2: 'OLMo 2',
    granite: 'Granite 3 and later, dense',
    starcoder2: 'StarCoder2',
    gpt_neox: 'GPT-NeoX, Pythia',
    gpt2: 'GPT-2',
  },
  experts: {},
  diffusion: {
    UNet2DConditionModel:
      'The U-Nets of Stable Diffusion 1 and 2, and of SDXL ([below](#pipelines-of-diffusers))',
    AutoencoderKL:
      'The autoencoders of these pipelines, from pictures to pictures by the mean of their latents',
  },
};
