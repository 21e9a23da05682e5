import { basename, join, resolve } from 'node:path';
import {
  publishedText,
  publishParts,
  publishProgress,
  publishQuestion,
} from '../../../protocol/reports/publish-report';
import { terminalText } from '../../report-text';
import { AuroraError, EXIT } from '../../../base/errors';
import type { Experiment } from '../../../experiment/experiment';
import { isNonlinear } from '../../../experiment/methods';
import { MATTERS } from '../../../experiment/shown-metrics';
import { type ExportRequest, exportRun } from '../../../exports/export';
import { pageAddress } from '../../../hub/hub-api';
import { accountOf, createRepository } from '../../../hub/upload/repository';
import { localFiles, upload } from '../../../hub/upload/upload';
import { type ExportForm, type ExportLine, type ExportRecord, MERGES } from '../../../protocol/export';
import { dropReason, dropText } from '../../../protocol/reports/export-report';
import type { Published, PublishLine, PublishPlan, UploadEvent } from '../../../protocol/publish';
import { baseModel } from '../../../peft/base-model';
import { readRunSummary } from '../../../runs/run-summary';
import type { Certificate } from '../../../study/claim/certificate';
import { readCertificate, writeCertificate } from '../../../sweeps/claims/certificate-file';
import { parseAt } from '../../../training/checkpoint/trained-run';
import { problemOf } from '../../../training/preflight/preflight-problems';
import { runFolder } from '../../arguments';
import { clearLine, LOG_MS, ReadingProgress, redraw, REDRAW_MS } from '../../bar';
import { type Command, one, type ParsedArgs } from '../../command';
import { isScreen, write } from '../../output';
import { askAtTerminal, nextLine } from '../../owning';
import { temporaryFolder } from '../../temporary';
import { maxDropOf, mergeOf } from '../export';
import { openHub } from '../get/download-plan';
import { planOf, targetOf } from './publish-target';

/** The forms that hold an adapter alone. */
const PUBLISHED_FORMS = ['peft-lora', 'adapter'] as const;

export const publishCommand: Command = {
  help: `Usage: aurora publish RUN [--to OWNER/NAME] [--public] [options]

Uploads the adapter of a run to a repository of yours on the Hugging Face hub, with its card, as \`aurora export\` writes it. Shows first
what would be uploaded and where to, and asks.

A repository that does not exist is created, as a private one without --public. One that exists must be empty or hold an adapter. All
files become visible together, by one commit: an upload that was interrupted leaves nothing of it visible, and the same command
continues it. Files that are only in the repository stay there.

  --to NAME          the repository: OWNER/NAME, or a NAME in your own account (default: the name of the experiment)
  --public           create a public repository, or publish to one that is public
  --as FORM          peft-lora, which PEFT and diffusers load themselves (default for AuroRA, whose nonlinearity is replaced by its linear
                     fit), or adapter: as trained (default for other methods)
  --merge HOW        with peft-lora, for AuroRA: fitted (default) or paper, as in \`aurora export\`
  --max-drop LOSS    the most that peft-lora may lose with --yes (default: ${MATTERS}), as in \`aurora export\`
  --accept-drop      with --yes: publish it, whatever it loses
  --at WHICH         best (default), last, or the step of a checkpoint
  --certificate FILE
                     also upload a claim's certificate, as certificate.json and as a page; the run must be one of the claim's
                     test
  --yes              upload without asking
  --json             JSON lines: preparing, fitting, not-fitted, measuring, plan, ask (answer with a line "yes" or
                     "no"), declined, sending, retrying, published, problem

The token needs write access: set HF_TOKEN, or run \`hf auth login\`. HF_ENDPOINT names a mirror; HTTPS_PROXY and
NODE_EXTRA_CA_CERTS are honored.
`,
  options: {
    to: { type: 'string' },
    public: { type: 'boolean' },
    as: { type: 'string' },
    merge: { type: 'string' },
    'max-drop': { type: 'string' },
    'accept-drop': { type: 'boolean' },
    at: { type: 'string' },
    certificate: { type: 'string' },
    yes: { type: 'boolean', short: 'y' },
    json: { type: 'boolean' },
  },
  values: { as: [...PUBLISHED_FORMS], merge: [...MERGES], at: ['best', 'last'] },
  async run(args) {
    const json = args.flag('json');
    const emit = (line: PublishLine) => (json ? write(`${JSON.stringify(line)}\n`) : Promise.resolve());
    try {
      const published = await publish(args, emit);
      await emit(published ?? { kind: 'declined' });
      if (!json)
        await write(
          published ? `${publishedText(published, published.address)}\n` : 'Nothing was uploaded.\n',
        );
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await emit(problemOf(e));
      throw e;
    }
  },
};

function formOf(args: ParsedArgs, { adapter }: Experiment): ExportForm {
  const as = args.text('as');
  if (as === undefined) return isNonlinear(adapter) ? 'peft-lora' : 'adapter';
  const form = PUBLISHED_FORMS.find((each) => each === as);
  if (form) return form;
  throw new AuroraError('usage', `--as takes ${PUBLISHED_FORMS.join(' or ')}, not "${as}".`);
}

/**
 * The certificate to upload with a run.
 *
 * @throws AuroraError 'usage' if there is none, or the run is not one that it was decided by
 */
function certificateOf(args: ParsedArgs, run: string): Certificate | undefined {
  const given = args.text('certificate');
  if (given === undefined) return undefined;
  const path = resolve(given);
  const certificate = readCertificate(path);
  if (certificate?.runs.some((one) => one.phase === 'test' && one.run === run)) return certificate;
  throw new AuroraError(
    'usage',
    certificate ? `The test in ${path} did not use the run ${run}.` : `There is no certificate ${path}.`,
    'Give the certificate.json of a claim that was tested on this run.',
  );
}

type Emit = (line: PublishLine) => Promise<void>;

/** @returns undefined if the user declined */
async function publish(args: ParsedArgs, emit: Emit): Promise<Published | undefined> {
  const json = args.flag('json');
  const run = resolve(runFolder(one(args, 'run folder', 'publish')));
  const { spec, id } = readRunSummary(run);
  const form = formOf(args, spec);
  const certificate = certificateOf(args, id);
  const choice = { form, merge: mergeOf(form, args.text('merge')), maxDrop: maxDropOf(args) };
  const hub = openHub();
  // All refusals come before the adapter is measured, which takes a while.
  const wanted = { to: args.text('to'), public: args.flag('public'), run: id, experiment: spec.name };
  const target = await targetOf(hub, await accountOf(hub), wanted);
  const { folder, record } = await exportAdapter(run, choice, args, emit);
  if (certificate) writeCertificate(folder, certificate);
  const files = await localFiles(folder);
  const plan = planOf(hub, target, record, baseModel(spec.model.path), files);
  await emit(plan);
  if (!json) process.stderr.write(terminalText(publishParts(plan)));
  const isDone = files.length > 0 && plan.size === 0 && !plan.isNew;
  if (!isDone && !(await isAgreed(args, plan, emit))) return undefined;
  const repo = target.there ?? (await createRepository(hub, target.id, target.private));
  const progress = new UploadProgress();
  const title = `Upload the adapter of ${basename(run)} at step ${plan.step}`;
  try {
    const { commit, isNew } = await upload(hub, repo, {
      files,
      title,
      tell: (event) => (json ? void emit(event) : progress.show(event)),
    });
    const address = pageAddress(hub.settings.endpoint, 'model', repo.id);
    return {
      kind: 'published',
      repo: repo.id,
      commit,
      isNew,
      private: repo.private,
      address,
      hosts: hub.hosts,
    };
  } finally {
    progress.clear();
  }
}

async function exportAdapter(
  run: string,
  choice: Pick<ExportRequest, 'form' | 'merge' | 'maxDrop'>,
  args: ParsedArgs,
  emit: Emit,
): Promise<{ folder: string; record: ExportRecord }> {
  const isSilent = args.flag('json');
  const reading = new ReadingProgress();
  const exported = await exportRun({
    run,
    at: parseAt(args.text('at')),
    ...choice,
    out: join(temporaryFolder('publish'), 'adapter'),
    accept(loss) {
      // The plan shows the loss to whoever is asked.
      if (!args.flag('yes') || args.flag('accept-drop')) return Promise.resolve(true);
      throw new AuroraError(
        'drop',
        `${dropText(choice.form, loss)} ${dropReason(loss)}`,
        'Publish it with --accept-drop, or what was trained with --as adapter.',
      );
    },
    emit(line: ExportLine) {
      switch (line.kind) {
        case 'fitting':
          if (!isSilent) reading.fitting(line.done, line.of);
          return emit(line);
        case 'preparing':
        case 'not-fitted':
        case 'measuring':
          if (!isSilent) process.stderr.write(`${publishProgress(line)}\n`);
          return emit(line);
        default:
          return;
      }
    },
  });
  return exported!;
}

async function isAgreed(args: ParsedArgs, plan: PublishPlan, emit: Emit): Promise<boolean> {
  if (args.flag('yes')) return true;
  let answer: boolean | undefined;
  if (args.flag('json')) {
    await emit({ kind: 'ask' });
    const line = await nextLine();
    answer = line === undefined ? undefined : line.trim() === 'yes';
  } else answer = await askAtTerminal(publishQuestion(plan));
  if (answer !== undefined) return answer;
  throw new AuroraError(
    'usage',
    'Nothing was uploaded, because nobody can be asked here.',
    'Add --yes to upload without asking.',
  );
}

/** A line while files are uploaded. */
class UploadProgress {
  private drawn = -Infinity;
  private onScreen = false;

  constructor(private readonly out: NodeJS.WriteStream = process.stderr) {}

  show(event: UploadEvent): void {
    if (event.kind === 'retrying') {
      this.clear();
      this.out.write(`${publishProgress(event)}\n`);
      return;
    }
    const now = performance.now();
    this.onScreen = isScreen(this.out);
    if (now - this.drawn < (this.onScreen ? REDRAW_MS : LOG_MS)) return;
    this.drawn = now;
    const text = publishProgress(event)!;
    if (this.onScreen) redraw(this.out, text);
    else this.out.write(`${text}\n`);
  }

  clear(): void {
    if (this.onScreen) clearLine(this.out);
    this.onScreen = false;
  }
}
