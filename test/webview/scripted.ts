import type { TaskShapes } from '../../src/experiment/tasks/kind';
import type { RunningProgram } from '../../src/extension/launcher/client';
import type { Answer } from '../../src/protocol/answers/kinds';
import type { PlayFacts, PlayLine, PlayRequest, PlaySample } from '../../src/protocol/playground';
import type { PlayVariant } from '../../src/protocol/play-question';

interface Script {
  shapes: TaskShapes;
  labels: string[];
  /** Other facts of each subject. */
  facts?: Partial<PlayFacts>;
  sample: PlaySample;
  /** A subject's answer; the panel's own subject is called "own". A subject that writes says how it was asked. */
  answer?(
    texts: { text: string; pair?: string; choices?: readonly string[] },
    subject: string,
    variant: PlayVariant,
  ): Answer;
}

/** A program that answers as told; the panel's own subject has a base. */
export const scripted =
  ({ shapes, labels, facts: more, sample, answer }: Script) =>
  (onLine: (line: string) => void): Promise<RunningProgram> => {
    let end: () => void;
    const subjects: string[] = [];
    const say = (line: PlayLine) => onLine(JSON.stringify(line));
    return Promise.resolve({
      ended: new Promise((done) => (end = () => done({ code: 0, stdout: '', stderr: '' }))),
      kill: () => end(),
      send(line) {
        const r = JSON.parse(line) as PlayRequest;
        if (r.kind === 'load') {
          subjects.push(r.subject);
          const base = r.subject === 'own' && { base: 'model-with-head' as const };
          const facts = { name: 'x', step: 40, labels, samples: true, assumed: [], ...more };
          say({ kind: 'loaded', subject: r.subject, ...shapes, ...facts, ...base });
        }
        if (r.kind === 'sample') say({ kind: 'sample', request: r.request, subject: r.subject, ...sample });
        if (r.kind !== 'predict' && r.kind !== 'generate') return;
        for (const subject of subjects)
          for (const variant of subject === 'own' ? (['adapted', 'base'] as const) : (['adapted'] as const))
            if (r.kind === 'generate')
              say({
                kind: 'generated',
                ...{ request: r.request, subject, variant, ended: 'end', promptTokens: 3, tokens: 2 },
                ...{
                  text: r.asTyped ? ' as typed' : ' in the template',
                  secondsToFirst: 0.1,
                  tokensPerSecond: 9,
                },
              });
            else
              say({
                kind: 'prediction',
                ...{ request: r.request, subject, variant, seconds: 0.0123, tokens: 14, truncated: false },
                ...answer!({ ...r, text: r.text! }, subject, variant),
              });
        say({ kind: 'answered', request: r.request });
      },
    });
  };
