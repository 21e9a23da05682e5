import { dirname, join } from 'node:path';
import type { AuroraError, ErrorKind } from '../../base/errors';
import { stampOf } from '../../files/identity';
import type { TrainerClient } from '../launcher/client';
import { programError } from '../../executors/local/program';

/** A file through which a model gets texts or images. */
export interface InputFile {
  kind: 'tokenizer' | 'preprocessor';
  path: string;
}

/** An input file that training refuses. */
export interface UnusableInput {
  kind: InputFile['kind'];
  error: AuroraError;
}

/** The files that decide whether a file can be used. */
const READ = {
  tokenizer: [
    'tokenizer_config.json',
    'config.json',
    'chat_template.jinja',
    'vocab.txt',
    'vocab.json',
    'merges.txt',
    'special_tokens_map.json',
    'added_tokens.json',
  ],
  preprocessor: [],
};

/** Errors in the file itself. */
const FAULTS: readonly ErrorKind[] = ['tokenizer', 'model'];

/** More than the experiments of a window name. */
const MOST = 32;

/**
 * Finds out in a separate process if tokenizers and preprocessors can be used: reading one takes up to seconds, and the
 * file may be hostile. A file is checked again once it changes.
 */
export class InputFiles {
  private readonly known = new Map<string, { stamp: string; problem: Promise<AuroraError | undefined> }>();
  private readonly latest = new Map<string, AuroraError | undefined>();

  constructor(
    private readonly trainer: Pick<TrainerClient, 'program'>,
    private readonly log: { warn(message: string): void },
  ) {}

  /** The results that are known without waiting, perhaps for an earlier version of a file. */
  cached(files: readonly InputFile[]): UnusableInput[] {
    return files.flatMap(({ kind, path }) => {
      const error = this.latest.get(path);
      return error ? [{ kind, error }] : [];
    });
  }

  async unusable(files: readonly InputFile[]): Promise<UnusableInput[]> {
    const found = await Promise.all(
      files.map(async (file) => ({ kind: file.kind, error: await this.problemOf(file) })),
    );
    return found.flatMap(({ kind, error }) => (error ? [{ kind, error }] : []));
  }

  private async problemOf({ kind, path }: InputFile): Promise<AuroraError | undefined> {
    const stamp = await stampOf([path, ...READ[kind].map((name) => join(dirname(path), name))]);
    const there = this.known.get(path);
    if (there?.stamp === stamp) return there.problem;
    if (this.known.size >= MOST) {
      const oldest = this.known.keys().next().value!;
      this.known.delete(oldest);
      this.latest.delete(oldest);
    }
    const problem = this.check(kind, path);
    this.known.set(path, { stamp, problem });
    try {
      this.latest.set(path, await problem);
      return await problem;
    } catch (e) {
      // This machine lacks something: the file is not at fault, and is checked again.
      this.known.delete(path);
      this.log.warn(String(e));
      return undefined;
    }
  }

  private async check(kind: InputFile['kind'], path: string): Promise<AuroraError | undefined> {
    const result = await this.trainer.program(['check-input', kind, path], { untrusted: true });
    if (result.code === 0) return undefined;
    const error = programError(result, 'check-input');
    if (!FAULTS.includes(error.kind)) throw error;
    return error;
  }
}
