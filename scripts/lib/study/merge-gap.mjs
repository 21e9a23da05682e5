const CENTER = 'adapter.centerInputs=true';
const PENALTY = 'training.offsetPenalty=10';
const STATIC = 'training.staticEpochs=1';

/** The changes of the study of merging in the recipe of the first one, on each of its data sets. */
export const WAYS = {
  'as in the paper': [],
  'inputs centered': [CENTER],
  'W starts at zero': ['adapter.splineInitialization=zero'],
  'σ(0) penalized, 10': [PENALTY],
  'last epoch static': [STATIC],
  'centered + penalized': [CENTER, PENALTY],
  'centered + penalized + last epoch static': [CENTER, PENALTY, STATIC],
  'static throughout': ['training.staticEpochs=2'],
  'LoRA r=2, for comparison': [
    'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}',
  ],
};
