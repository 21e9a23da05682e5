import { basename, dirname, join } from 'node:path';

/** The model in each demo's folder. */
export const DEMO_MODEL = 'model.onnx';

/** The demos: where each is in the extension, its experiment, and the folder that it creates in a workspace. */
export const DEMOS = {
  text: { bundle: 'demo', experiment: 'debian-sections.aurora.json', folder: 'aurora-demo' },
  images: { bundle: 'demo-images', experiment: 'fashion.aurora.json', folder: 'aurora-demo-images' },
  language: {
    bundle: 'demo-language',
    experiment: 'debian-summaries.aurora.json',
    folder: 'aurora-demo-language',
  },
} as const;

export type DemoName = keyof typeof DEMOS;

/** The folder of a demo while no folder is open: in the extension's own storage. */
export const demoFolder = (storage: string, demo: DemoName): string => join(storage, DEMOS[demo].bundle);

/** The demos' experiments there, whether or not they exist. */
export const storedDemos = (storage: string): string[] =>
  (Object.keys(DEMOS) as DemoName[]).map((demo) => join(demoFolder(storage, demo), DEMOS[demo].experiment));

/** True if an experiment file is a demo's, by its name and its folder's. */
export const isDemo = (file: string): boolean =>
  Object.values(DEMOS).some(
    ({ bundle, experiment, folder }) =>
      basename(file) === experiment && [bundle, folder].some((name) => name === basename(dirname(file))),
  );
