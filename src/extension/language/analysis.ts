import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { JSONPath } from 'jsonc-parser';
import { matchAhead } from '../../adapters/patterns/patterns';
import { patternsOf } from '../../adapters/targets/targets';
import { taskLayers, type TaskLayer } from '../../adapters/task-output';
import type { ModelSummary } from '../../graph/summary';
import type { DataHead } from '../../table/head';
import type { CheckedExperiment, LocatedProblem } from '../../runs/experiment/load';
import { frozenSettings } from '../../runs/experiment/frozen-settings';
import { meantMethod } from '../../runs/experiment/unread-keys';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { completeClaim } from '../../experiment/claim';
import type { DataSpec } from '../../experiment/experiment';
import { modelFileLater } from '../../files/model-path';
import { type AdapterSpec, isHeadAlone } from '../../experiment/methods';
import type { TaskDescription } from '../../experiment/tasks/kind';
import { DEFAULT_TASK, TASKS } from '../../experiment/tasks/registry';
import type { FrozenClaim } from '../../study/claim/certificate';
import { looksAt } from '../../study/claim/look-plan';
import type { UnusableInput } from '../models/input-files';
import { editorHint, shortPaths } from '../words/error-text';
import { columnFindings, dataFindings } from './checks/check-columns';
import { fileFindings, kindOf } from './checks/check-files';
import type { DataHeads, RefusedFile } from './data-columns';
import { inputFindings } from './checks/check-inputs';
import { modelFindings } from './checks/check-model';
import { ignoredFindings, textFindings } from './checks/check-text';
import type { HeadOptions } from './data-head';
import type { ExperimentText } from '../../runs/experiment/experiment-text';
import type { Finding } from './finding';

/** The state of knowledge about the model that an experiment names. */
export type ModelState =
  | { state: 'unnamed' | 'missing' | 'reading' }
  | { state: 'failed'; error: AuroraError }
  | { state: 'known'; summary: ModelSummary };

/** Everything that lenses, diagnostics, completions and hovers show for one text. */
export interface Analysis {
  doc: ExperimentText;
  /** The kind of task, even if the schema reports an error. */
  task: TaskDescription;
  problems: LocatedProblem[];
  method: string;
  /** With all defaults; undefined if the schema reports an error. */
  adapter?: AdapterSpec;
  /** The model, marked for the output that the experiment trains on; undefined until the model is read. */
  layers: TaskLayer[];
  /** The claim with the settings that decide it; undefined without one, or if something is wrong. */
  claim?: Pick<FrozenClaim, 'claim' | 'looks' | 'experiment'>;
  /** The sweep's trials; undefined without a sweep, or if something is wrong. */
  trials?: number;
  model: ModelState;
  heads: DataHeads;
  findings: Finding[];
}

export interface Sources {
  model: ModelState;
  /** The tokenizer or preprocessor, if training refuses it, as far as that is known. */
  unusable: readonly UnusableInput[];
  /** Absolute paths of the workspace's files that an experiment may name. */
  known: readonly string[];
  /** Rejects as `readDataHead`. */
  head(path: string, options: HeadOptions): Promise<DataHead | undefined>;
}

/**
 * The absolute path of the model file that an experiment names, whether or not it exists; for a folder, its
 * config.json.
 */
export async function modelPathOf(doc: ExperimentText): Promise<string | undefined> {
  const path = doc.string('model', 'path');
  return path === undefined ? undefined : modelFileLater(doc.resolve(path));
}

/** The state of a model file before it is read: `reading` if it is not cached. */
export async function firstModelState(
  path: string | undefined,
  cached: ModelSummary | undefined,
): Promise<ModelState> {
  if (path === undefined) return { state: 'unnamed' };
  if ((await kindOf(path)) !== 'file') return { state: 'missing' };
  return cached ? { state: 'known', summary: cached } : { state: 'reading' };
}

export async function analyze(checked: CheckedExperiment, sources: Sources): Promise<Analysis> {
  const { model, known } = sources;
  const { doc, value, problems, trials, experiment } = checked;
  const claim =
    experiment && checked.claim
      ? frozenSettings({
          file: doc.file,
          claim: completeClaim(checked.claim, experiment),
          looks: looksAt(checked.claim.looks),
          experiment,
        })
      : undefined;
  const adapter = usable<AdapterSpec>(value, 'adapter', problems);
  const data = usable<DataSpec>(value, 'data', problems);
  const layers = model.state === 'known' ? layersFor(doc, model.summary) : [];
  const { heads, refused } = await readHeads(doc, sources);
  if (adapter && !isHeadAlone(adapter))
    await matchAhead(
      patternsOf(adapter),
      layers.map((l) => l.path),
    );
  const method = methodOf(value);
  const task = taskOf(value);
  const findings = [
    ...textFindings(doc, problems, method),
    ...ignoredFindings(doc),
    ...(await fileFindings(doc, task, known)),
    ...(await dataFindings(doc, heads, refused)),
    ...(data ? columnFindings(doc, task, data, heads) : []),
    ...(model.state === 'known'
      ? modelFindings(doc, model.summary, layers, adapter && !isHeadAlone(adapter) ? adapter : undefined)
      : []),
    ...(model.state === 'failed' ? [unreadable(doc, model.error)] : []),
    ...inputFindings(doc, sources.unusable, foldersOf(doc)),
  ];
  return { doc, task, problems, method, adapter, layers, claim, trials, model, heads, findings };
}

const layersFor = (doc: ExperimentText, summary: ModelSummary): TaskLayer[] =>
  taskLayers(summary, {
    output: doc.string('model', 'output'),
    head: doc.string('task', 'head') !== 'none',
  });

/** A section of the experiment without schema errors. */
function usable<T>(value: unknown, key: string, problems: readonly LocatedProblem[]): T | undefined {
  const wrong = problems.some(
    (p) => p.from === 'schema' && (p.path[0] === key || p.path.length === 0) && p.path[1] !== 'train',
  );
  const part = (value as Record<string, unknown> | null | undefined)?.[key];
  return wrong || typeof part !== 'object' || part === null ? undefined : (part as T);
}

function methodOf(value: unknown): string {
  const method = (value as { adapter?: { method?: unknown } } | null | undefined)?.adapter?.method;
  return meantMethod(method);
}

/** The kind of task that an experiment names, even if the schema reports an error. */
function taskOf(value: unknown): TaskDescription {
  const type = (value as { task?: { type?: unknown } } | null | undefined)?.task?.type;
  return own<TaskDescription>(TASKS, String(type)) ?? TASKS[DEFAULT_TASK];
}

async function readHeads(
  doc: ExperimentText,
  { head }: Sources,
): Promise<{ heads: DataHeads; refused: RefusedFile[] }> {
  const heads: DataHeads = {};
  const refused: RefusedFile[] = [];
  // Taken from the text: completion must know the columns while another value is wrong.
  const read = async (path: JSONPath, section?: JSONPath): Promise<DataHead | undefined> => {
    const written = doc.string(...path);
    if (written === undefined) return undefined;
    const options = { ...headOptions(doc, ['data']), ...(section && headOptions(doc, section)) };
    return head(doc.resolve(written), options).catch((error: unknown) => {
      if (error instanceof AuroraError) refused.push({ path, error });
      return undefined;
    });
  };
  for (const part of ['train', 'validation', 'test'] as const) {
    const found = await read(['data', part]);
    if (found) heads[part] = found;
  }
  const sets: [string, DataHead][] = [];
  for (const name of doc.keys('data', 'evaluations')) {
    const section = ['data', 'evaluations', name];
    const found = await read([...section, 'path'], section);
    if (found) sets.push([name, found]);
  }
  return { heads: sets.length > 0 ? { ...heads, evaluations: Object.fromEntries(sets) } : heads, refused };
}

function headOptions(doc: ExperimentText, section: JSONPath): HeadOptions {
  const [header, quoting] = ['header', 'quoting'].map((key) => doc.node(...section, key)?.value as unknown);
  return {
    ...(typeof header === 'boolean' && { header }),
    ...((quoting === 'auto' || quoting === 'csv' || quoting === 'none') && { quoting }),
  };
}

/** The folders of the files that an experiment names, whose paths need not be written out. */
export function foldersOf(doc: ExperimentText): string[] {
  const model = doc.string('model', 'path');
  return [dirname(doc.file), ...(model === undefined ? [] : [dirname(doc.resolve(model))]), homedir()];
}

function unreadable(doc: ExperimentText, error: AuroraError): Finding {
  // If this machine lacks something, the file is not at fault.
  const file = !['failed', 'device', 'usage'].includes(error.kind);
  return {
    ...doc.span('model', 'path'),
    severity: file ? 'error' : 'information',
    code: 'model-unreadable',
    message: shortPaths(
      error.hint ? `${error.message} ${editorHint(error.hint)}` : error.message,
      foldersOf(doc),
    ),
    fixes: [],
  };
}
