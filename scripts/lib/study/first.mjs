/** The methods that the first study trains, on each of the data sets of study.mjs. */
export const METHODS = {
  'head only': { method: 'none' },
  'LoRA r=2': { method: 'lora', rank: 2, alpha: 4, targetModules: ['query', 'value'] },
  'AuroRA r=2': { method: 'aurora', rank: 2, alpha: 4, targetModules: ['query', 'value'] },
  'LoRA r=8': { method: 'lora', rank: 8, alpha: 16, targetModules: ['query', 'value'] },
};

export const RECIPE = ['training.epochs=2', 'model.maxLength=48'];
