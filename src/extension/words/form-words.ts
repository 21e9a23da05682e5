import { t } from '../../base/l10n';

import { isStaticForm, type ExportForm } from '../../protocol/export';

/** A short name for an export, for tree rows and notifications. */
export function formName(form: ExportForm): string {
  switch (form) {
    case 'adapter':
      return t('Adapter');
    case 'peft-lora':
      return t('PEFT LoRA');
    case 'onnx-dynamic':
      return t('ONNX model');
    case 'onnx-merged':
      return t('Merged ONNX model');
    case 'onnx-adapter-inputs':
      return t('ONNX model with adapter inputs');
    case 'safetensors':
      return t('Merged Hugging Face folder');
  }
}

/** The purpose of a form, shown when choosing one. */
export function formWords(form: ExportForm, aurora: boolean): string {
  const words = whatFor(form);
  return aurora && isStaticForm(form)
    ? `${words} ${t('With AuroRA, this loses some quality; the loss is measured.')}`
    : words;
}

function whatFor(form: ExportForm): string {
  switch (form) {
    case 'adapter':
      return t('The adapter as trained, in PEFT’s file layout, with a loader for PyTorch.');
    case 'peft-lora':
      return t('A LoRA that PEFT itself can load.');
    case 'onnx-dynamic':
      return t('The whole model exactly as trained, with adapters as nodes.');
    case 'onnx-merged':
      return t('The original model with the adapter merged into its weights.');
    case 'onnx-adapter-inputs':
      return t(
        'The whole model with the adapter’s parameters as inputs, so that they can be swapped at run time.',
      );
    case 'safetensors':
      return t('The folder from the hub with the adapter merged into its weights, as transformers loads it.');
  }
}
