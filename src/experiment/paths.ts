import type { Experiment } from './experiment';

/** The experiment of a run with each of its paths replaced: those of a model, its tokenizer and its data. */
export function withPaths(spec: Experiment, replaced: (path: string) => string): Experiment {
  const { model, data } = spec;
  const { preprocessor } = model;
  const { validation, test, classImages, evaluations } = data;
  return {
    ...spec,
    model: {
      ...model,
      path: replaced(model.path),
      tokenizer: replaced(model.tokenizer),
      ...(preprocessor !== undefined && { preprocessor: replaced(preprocessor) }),
    },
    data: {
      ...data,
      train: replaced(data.train),
      ...(validation !== undefined && { validation: replaced(validation) }),
      ...(test !== undefined && { test: replaced(test) }),
      ...(classImages !== undefined && { classImages: replaced(classImages) }),
      ...(evaluations && {
        evaluations: Object.fromEntries(
          Object.entries(evaluations).map(([name, set]) => [name, { ...set, path: replaced(set.path) }]),
        ),
      }),
    },
  };
}
