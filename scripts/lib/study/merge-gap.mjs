/** The changes of the study of merging in the recipe of the first one, on each of its data sets. */
export const WAYS = {
  'as in the paper': [],
  'last epoch static': ['training.staticEpochs=1'],
  'static throughout': ['training.staticEpochs=2'],
  'LoRA r=2, for comparison': [
    'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}',
  ],
};
