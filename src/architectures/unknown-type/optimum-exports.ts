/** The values of `--task` of `optimum-cli export onnx` that are suggested here. */
export type ExportTask =
  'text-generation' | 'text2text-generation' | 'feature-extraction' | 'image-classification';

/** The version whose lists these are. */
export const OPTIMUM = 'optimum-onnx 0.1';

/**
 * The model types of texts and images that Optimum exports for these tasks (optimum-onnx 0.1,
 * optimum/exporters/onnx/model_configs.py). Folders of the families here need no export, so most of these are left out.
 */
const EXPORTS: Readonly<Record<ExportTask, string>> = {
  'text-generation': `arcee bloom codegen cohere deepseek_v3 falcon glm gpt_bigcode gpt_neo gpt_oss gptj helium internlm2
    mpt nemotron olmo opt phi qwen3_moe stablelm`,
  // The encoder is a separate file, encoder_model.onnx.
  'text2text-generation':
    'bart bigbird_pegasus blenderbot blenderbot-small longt5 m2m_100 marian mbart pegasus',
  'feature-extraction': `big_bird convbert data2vec-text deberta esm flaubert ibert longformer megatron-bert mobilebert
    nystromformer rembert roformer siglip_vision_model splinter squeezebert vit_mae xlm`,
  'image-classification': `beit convnext convnextv2 cvt data2vec-vision efficientnet hiera levit mobilenet_v1 mobilenet_v2
    mobilevit poolformer pvt regnet resnet segformer swinv2 vit_msn`,
};

/** The task for which Optimum exports a `model_type`; undefined if it does not. */
export const exportTask = (type: string): ExportTask | undefined =>
  (Object.keys(EXPORTS) as ExportTask[]).find((task) => EXPORTS[task].split(/\s+/).includes(type));
