/** The input of a step's graph that the gradients are multiplied by. */
export const GRAD_SCALE = 'aurora.gradScale';

/** Bytes of the weights of a model from which on its sessions on the CPU are open one at a time. */
export const LARGE_MODEL = 2 ** 30;
