/** Modules that transformers' task models have beside the base model. */
const OF_HEADS = /^(?:lm_head|embed_out|cls|classifier|score|pre_classifier|vocab_\w+)(?:\.|$)/;

/** True if a module belongs to the head of a task model. */
const isOfHead = (path: string): boolean => OF_HEADS.test(path);

/**
 * The path of a module in transformers' task models, from its path here.
 *
 * @param prefix of the base model in them: `bert.`
 */
export const taskPath = (path: string, prefix: string): string => (isOfHead(path) ? path : prefix + path);
