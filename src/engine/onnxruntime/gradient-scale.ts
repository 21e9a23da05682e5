/** The input of a step's graph that the gradients are multiplied by. */
export const GRAD_SCALE = 'aurora.gradScale';
