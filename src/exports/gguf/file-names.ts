/** The files of exports for llama.cpp. */
export const MODEL_FILE = 'model.gguf';
export const ADAPTER_FILE = 'adapter.gguf';
export const MODELFILE = 'Modelfile';
