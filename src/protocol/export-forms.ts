import { t } from '../base/l10n';
import { isMergedForm, type ExportForm, type MergeChoice } from './export';

/** A short name for an export, for tree rows and notifications. */
export function formName(form: ExportForm): string {
  switch (form) {
    case 'adapter':
      return t('Adapter');
    case 'peft-lora':
      return t('PEFT LoRA');
    case 'kohya':
      return t('LoRA for ComfyUI');
    case 'onnx-dynamic':
      return t('ONNX model');
    case 'onnx-merged':
      return t('Merged ONNX model');
    case 'onnx-adapter-inputs':
      return t('ONNX model with adapter inputs');
    case 'safetensors':
      return t('Merged Hugging Face folder');
    case 'gguf-lora':
      return t('GGUF LoRA');
    case 'gguf':
      return t('GGUF model');
  }
}

/**
 * The content of a form, in a sentence.
 *
 * @param library that reads the model's folder
 */
export function formContent(
  form: ExportForm,
  library: 'transformers' | 'diffusers' = 'transformers',
): string {
  switch (form) {
    case 'adapter':
      return t('The adapter in PEFT’s file layout, with a loader for PyTorch.');
    case 'peft-lora':
      return library === 'diffusers'
        ? t('The adapter as a LoRA in diffusers’ layout.')
        : t('The adapter as a LoRA that PEFT itself can load.');
    case 'kohya':
      return t('The adapter as one LoRA file in kohya’s layout, for ComfyUI and AUTOMATIC1111.');
    case 'onnx-dynamic':
      return t('The base model in ONNX with the adapters as nodes, exactly as trained.');
    case 'onnx-merged':
      return t('The base model in ONNX with the adapters merged into its weights.');
    case 'onnx-adapter-inputs':
      return t(
        'The base model in ONNX with the adapters’ parameters as inputs, so that they can be swapped at run time.',
      );
    case 'safetensors':
      return t(
        'The base model’s folder with the adapters merged into its weights, as {0} loads it.',
        library,
      );
    case 'gguf-lora':
      return t('The adapter as a LoRA for llama.cpp, Ollama and LM Studio.');
    case 'gguf':
      return t(
        'The base model with the adapters merged into its weights, its tokenizer and its chat template, for llama.cpp, Ollama and LM Studio.',
      );
  }
}

/** A short name for the replacement of AuroRA's nonlinearity, inside a sentence or a row. */
export const mergeName = (merge: MergeChoice): string =>
  merge === 'fitted' ? t('fitted') : t('the paper’s merge');

/** The replacement in a sentence. */
export const mergeWords = (merge: MergeChoice): string =>
  merge === 'fitted'
    ? t('The nonlinearity is replaced by its linear fit on the training data.')
    : t(
        'The nonlinearity is applied to the columns of A, as in the paper. This usually loses much more, and needs no training data.',
      );

/** The content of a form, shown when choosing one. */
export const formWords = (form: ExportForm, aurora: boolean): string =>
  aurora && isMergedForm(form)
    ? `${formContent(form)} ${t('AuroRA’s nonlinearity is replaced by its linear fit; the loss is measured.')}`
    : formContent(form);
