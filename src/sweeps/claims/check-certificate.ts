import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { sortedJson } from '../../base/sorted-json';
import { areLooks, combinations } from '../../experiment/claim';
import type { Experiment } from '../../experiment/experiment';
import { isEntryName } from '../../files/contained';
import type { MetricValue } from '../../experiment/metrics';
import type { Settings } from '../../experiment/sweep';
import { trialSettings } from '../../runs/experiment/claim-trials';
import { readRunSummary, type RunSummary } from '../../runs/run-summary';
import type { Certificate, CertificateFault, CertifiedRun } from '../../study/claim/certificate';
import { looksAt } from '../../study/claim/look-plan';
import { frozenIn } from './freeze';
import { closing, lookAt, testedForms, type TestedMethod } from './looks';
import { searched } from './search';
import { resultOf, searchedValue, sumsOf, testedResults } from './tested';

/**
 * Computes a certificate's verdict again from the run folders.
 *
 * @param runs the folder of the experiment's runs
 * @param emit gets each run before it is checked
 */
export async function checkCertificate(
  certificate: Certificate,
  runs: string,
  emit: (run: string, done: number, of: number) => Promise<void>,
): Promise<CertificateFault[]> {
  const { frozen, seeds, methods } = certificate;
  const { claim } = frozen;
  if (sortedJson(frozenIn('', frozen).seeds) !== sortedJson(seeds))
    return [{ message: 'The seeds are not those that follow from what was frozen.' }];
  const planned = frozen.looks.map((plan) => plan.seeds);
  if (!areLooks(planned) || sortedJson(frozen.looks) !== sortedJson(looksAt(planned)))
    return [{ message: 'The looks that were frozen are not those of a claim.' }];
  const { length } = certificate.looks;
  if (length === 0 || length > planned.length)
    return [{ message: 'The certificate has other looks than were frozen.' }];
  const faults: CertificateFault[] = [];
  const tested: TestedMethod[] = claim.methods.map(() => new Map());
  const values = new Map<string, MetricValue>();
  const all = [...certificate.runs, ...certificate.leftOut];
  for (const [done, one] of all.entries()) {
    await emit(one.run, done, all.length);
    const found = await checkRun(certificate, one, join(runs, one.run));
    if ('fault' in found) {
      faults.push({ run: one.run, message: found.fault });
      continue;
    }
    if (one.phase === 'test') tested[one.method]!.set(one.seed, found.results);
    else values.set(keyOf(one.method, one.values, one.seed), found.value);
  }
  if (faults.length > 0) return faults;
  for (const [i, method] of methods.entries()) {
    const space = { parameters: parametersOf(method.tried.map((tried) => tried.values)), added: {} };
    if (method.tried.length !== combinations(space.parameters).length)
      faults.push({
        message: `The search of ${method.label} does not have every combination of its values.`,
      });
    const again = searched(claim, space, (v, s) => values.get(keyOf(i, v, seeds.search[s]!)) ?? 'diverged');
    if (sortedJson(again) !== sortedJson({ tried: method.tried, chosen: method.chosen }))
      faults.push({ message: `The search of ${method.label} has another result than its runs.` });
  }
  const looks = certificate.looks.map(({ seeds: n }, i) =>
    lookAt(claim, tested, seeds.test.slice(0, n), frozen.looks[i]!),
  );
  const end = closing(claim, tested, looks);
  const { verdict, generalizes, needed } = certificate;
  const claimed = { verdict, generalizes, ...(needed && { needed }) };
  if (sortedJson([looks, end]) !== sortedJson([certificate.looks, claimed]))
    faults.push({ message: 'The verdict is another one than that of the runs.' });
  if (looks.slice(0, -1).some(({ verdict }) => verdict !== 'open'))
    faults.push({ message: 'An earlier look had already decided the claim.' });
  if (looks.length < planned.length && looks.at(-1)!.verdict === 'open')
    faults.push({
      message: 'The last look did not decide the claim, and it was not the last that was frozen.',
    });
  return faults;
}

type Found =
  { fault: string } | { value: MetricValue; results: Exclude<ReturnType<TestedMethod['get']>, undefined> };

async function checkRun(
  { frozen: { claim }, frozen, seeds, methods }: Certificate,
  one: Pick<CertifiedRun, 'phase' | 'method' | 'values' | 'seed' | 'run'> & Partial<CertifiedRun>,
  folder: string,
): Promise<Found> {
  // A certificate may come from anywhere.
  if (!isEntryName(one.run)) return { fault: 'it is not the name of a folder.' };
  if (!existsSync(folder)) return { fault: 'its folder is missing.' };
  const method = claim.methods[one.method];
  if (!method || !seeds[one.phase].includes(one.seed)) return { fault: 'the claim has no such trial.' };
  if (one.phase === 'test' && sortedJson(one.values) !== sortedJson(methods[one.method]?.chosen))
    return { fault: 'it was not trained with the settings that the search chose.' };
  try {
    const run = readRunSummary(folder);
    const wrong = settingFault(run.spec, frozen.experiment, trialSettings(method, one.values, one.seed));
    if (wrong !== undefined) return { fault: wrong };
    return one.phase === 'search'
      ? await checkSearched(run, claim, one)
      : await checkTested(folder, claim, one);
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    return { fault: e.message };
  }
}

async function checkSearched(
  run: RunSummary,
  { metric }: Certificate['frozen']['claim'],
  one: Partial<CertifiedRun>,
): Promise<Found> {
  const { step, value } = searchedValue(run, metric);
  if (value === 'diverged')
    return one.results ? { fault: 'its training diverged.' } : { value, results: 'diverged' };
  if (!one.results) return { fault: 'its training did not diverge.' };
  const examples = run.events.findLast((e) => e.kind === 'evaluation')!.metrics.examples;
  const same = resultOf({ value, examples }).sha256 === one.results.trained?.sha256;
  return (
    (await sumFault(run, step, one)) ?? (same ? { value, results: 'diverged' } : { fault: OTHER_RESULT })
  );
}

async function checkTested(
  folder: string,
  claim: Certificate['frozen']['claim'],
  one: Pick<CertifiedRun, 'method'> & Partial<CertifiedRun>,
): Promise<Found> {
  const found = await testedResults(folder, claim, testedForms(claim)[one.method]!);
  if (found === 'diverged')
    return one.results ? { fault: 'its training diverged.' } : { value: 'diverged', results: 'diverged' };
  if (!one.results) return { fault: 'its training did not diverge.' };
  const changed = await sumFault(readRunSummary(folder), found.step, one);
  if (changed) return changed;
  for (const [form, result] of Object.entries(found.results))
    if (resultOf(result).sha256 !== own(one.results, form)?.sha256) return { fault: OTHER_RESULT };
  return { value: 0, results: found.results };
}

const OTHER_RESULT = 'its results are not those of the certificate.';

async function sumFault(
  run: RunSummary,
  step: number,
  one: Partial<CertifiedRun>,
): Promise<{ fault: string } | undefined> {
  const { spec, adapter } = await sumsOf(run, step);
  if (spec !== one.spec) return { fault: 'its experiment is not that of the certificate.' };
  if (adapter !== one.adapter || step !== one.step)
    return { fault: 'its adapter is not that of the certificate.' };
  return undefined;
}

/** A run's experiment must have the settings of its trial; all else, apart from the data of a search, is as it was frozen. */
function settingFault(
  spec: Experiment,
  frozen: Certificate['frozen']['experiment'],
  settings: Settings,
): string | undefined {
  for (const [key, value] of Object.entries(settings)) {
    const path = key.split('.');
    if (!includes(at(spec, path), value)) return `its ${key} is not that of the certificate.`;
  }
  for (const section of ['adapter', 'training'] as const) {
    if (Object.hasOwn(settings, section)) continue;
    for (const [key, value] of Object.entries(frozen[section])) {
      const name = `${section}.${key}`;
      // A head without its own rate has that of the adapter.
      const follows =
        name === 'training.headLearningRate' && Object.hasOwn(settings, 'training.learningRate');
      const isSet = Object.keys(settings).some((other) => other === name || other.startsWith(`${name}.`));
      if (!isSet && !follows && !includes(at(spec, [section, key]), value))
        return `its ${name} is not that of the certificate.`;
    }
  }
  return undefined;
}

const at = (value: unknown, path: readonly string[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner ? own(inner as Settings, key) : undefined),
    value,
  );

/** True if everything in `part` is in `whole`, which may have more: defaults that were filled in. */
function includes(whole: unknown, part: unknown): boolean {
  if (typeof part !== 'object' || part === null || Array.isArray(part))
    return sortedJson(whole) === sortedJson(part);
  return Object.entries(part).every(([key, value]) => includes(at(whole, [key]), value));
}

const keyOf = (method: number, values: Settings, seed: number): string => sortedJson([method, values, seed]);

/** The lists whose combinations these are, in their order. */
function parametersOf(tried: readonly Settings[]): Record<string, unknown[]> {
  const lists: Record<string, unknown[]> = {};
  for (const values of tried)
    for (const [key, value] of Object.entries(values)) {
      const list = (lists[key] ??= []);
      if (!list.some((known) => sortedJson(known) === sortedJson(value))) list.push(value);
    }
  return lists;
}
