import type { Experiment } from './experiment';

/** The settings that name files, with their paths as they are in `model` and `data`. */
export function pathSettings({
  model,
  data,
}: Pick<Experiment, 'model' | 'data'>): { setting: string[]; path: string | undefined }[] {
  return [
    ...(['path', 'tokenizer', 'preprocessor'] as const).map((key) => ({
      setting: ['model', key],
      path: model[key],
    })),
    ...(['train', 'validation', 'test', 'classImages'] as const).map((key) => ({
      setting: ['data', key],
      path: data[key],
    })),
    ...Object.entries(data.evaluations ?? {}).map(([name, set]) => ({
      setting: ['data', 'evaluations', name, 'path'],
      path: set.path,
    })),
  ];
}

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
