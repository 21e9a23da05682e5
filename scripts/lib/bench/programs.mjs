import { Failure } from '../console.mjs';
import { ROOT } from '../run.mjs';

/** Bundles programs of bench/ by their names into .cache/bench. Needs the dependencies. */
export async function buildPrograms(names, external) {
  const esbuild = await import('esbuild');
  await esbuild
    .build({
      absWorkingDir: ROOT,
      entryPoints: names.map((name) => `bench/${name}.ts`),
      outdir: '.cache/bench',
      outExtension: { '.js': '.cjs' },
      bundle: true,
      platform: 'node',
      target: 'node20',
      format: 'cjs',
      mainFields: ['module', 'main'],
      external,
      logLevel: 'warning',
    })
    .catch(() => {
      throw new Failure('The benchmark could not be built; the errors are above.');
    });
}
