import { AuroraError } from '../../base/errors';
import type { LinearSource, TrainedHead } from './linear-source';

/**
 * The adapter whose head a combination has: any if all trained heads are equal, otherwise the chosen one; undefined if
 * none has a head. Heads are not added up: neither does PEFT, which refuses two adapters with `modules_to_save` on one module.
 *
 * @param headOf the adapter whose head was chosen, as on the command line, or its place from 1
 * @throws AuroraError 'adapter' if they differ and none was chosen, 'usage' for a choice without a head
 */
export function chosenHead(
  sources: readonly LinearSource[],
  headOf: string | undefined,
): LinearSource | undefined {
  const withHead = sources.filter(({ head }) => head !== undefined);
  if (headOf !== undefined) {
    const of = sources.find(({ given }) => given === headOf) ?? sources[Number(headOf) - 1];
    if (of?.head) return of;
    throw new AuroraError(
      'usage',
      of
        ? `--head-of: ${of.given} has no trained head.`
        : `--head-of takes one of the adapters or its place, not "${headOf}".`,
      withHead.length > 0
        ? `Choose ${withHead.map(({ given }) => given).join(' or ')}.`
        : 'None of the adapters has a head: leave the option out.',
    );
  }
  const [first, ...others] = withHead;
  if (!first) return undefined;
  const different = others.find(({ head }) => differenceOf(first.head!, head!) !== undefined);
  if (!different) return first;
  throw new AuroraError(
    'adapter',
    `The heads of ${first.given} and ${different.given} differ in ${differenceOf(first.head!, different.head!)}.`,
    'Heads are not combined: choose one with --head-of.',
  );
}

/** The first difference between two heads; undefined if they are the same. */
function differenceOf(a: TrainedHead, b: TrainedHead): string | undefined {
  const words = (what: (head: TrainedHead) => unknown) => [what(a), what(b)].map((x) => JSON.stringify(x));
  const isOther = (what: (head: TrainedHead) => unknown): boolean => {
    const [x, y] = words(what);
    // An adapter's folder may not state it.
    return x !== undefined && y !== undefined && x !== y;
  };
  if (isOther((head) => head.own?.labels)) return 'their labels';
  if (isOther((head) => head.own?.pooling)) return 'the states that they read (task.pooling)';
  if (isOther((head) => head.output)) return 'the output of the model that they read (model.output)';
  if (isOther((head) => head.own?.scale)) return 'the scale of their numbers';
  return isEqual(a.weight, b.weight) && isEqual(a.bias, b.bias) ? undefined : 'their weights';
}

const isEqual = (a: Float32Array, b: Float32Array): boolean =>
  a.length === b.length && a.every((x, i) => x === b[i]);
