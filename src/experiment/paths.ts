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
      preprocessor: preprocessor && replaced(preprocessor),
    },
    data: {
      ...data,
      train: replaced(data.train),
      validation: validation && replaced(validation),
      test: test && replaced(test),
      classImages: classImages && replaced(classImages),
      ...(evaluations && {
        evaluations: Object.fromEntries(
          Object.entries(evaluations).map(([name, set]) => [name, { ...set, path: replaced(set.path) }]),
        ),
      }),
    },
  };
}
